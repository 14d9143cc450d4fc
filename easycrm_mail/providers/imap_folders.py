"""Which folders of a mailbox are read, and what each of them is.

Servers say it by attributes (RFC 6154); where they don't, the names that mail programs
give tell it, in the language of whoever set the mailbox up.
"""

from collections.abc import Iterable, Sequence

from .base import Stream, StreamRole

MAX_STREAMS = 2_000

Listed = tuple[Sequence[bytes], bytes | None, str]

# Never read: drafts, spam, trash, and views that show mail of other folders again.
_NEVER = frozenset(rb"\drafts \junk \spam \trash \flagged \starred \important".split())
_NO_MAILBOX = frozenset(rb"\noselect \nonexistent".split())
_ROLES = {
    rb"\sent": StreamRole.SENT,
    rb"\all": StreamRole.ALL,
    rb"\allmail": StreamRole.ALL,
    rb"\archive": StreamRole.ARCHIVE,
}

_NEVER_NAMES = frozenset(
    name.casefold()
    for name in (
        # Drafts
        "Drafts", "Draft", "Entwürfe", "Entwurf", "Brouillons", "Borradores", "Bozze",
        "Concepten", "Rascunhos", "Kladder", "Utkast", "Luonnokset", "Koncepty",
        "Robocze", "Wersje robocze", "Szkice", "Piszkozatok", "Ciorne", "Чернетки",
        "Черновики", "Taslaklar", "Πρόχειρα", "草稿", "草稿箱", "草稿匣", "下書き",
        "임시보관함", "임시 보관함",
        # Spam
        "Junk", "Junk E-mail", "Junk Email", "Junk Mail", "Spam", "Bulk Mail",
        "Spamverdacht",
        "Junk-E-Mail", "Courrier indésirable", "Indésirables", "Pourriel",
        "Correo no deseado", "Posta indesiderata", "Ongewenste e-mail", "Ongewenst",
        "Lixo eletrônico", "Lixo Eletrónico", "Uønsket mail", "Uønsket e-post",
        "Skräppost", "Roskaposti", "Nevyžádaná pošta", "Wiadomości-śmieci",
        "Levélszemét", "Спам", "Нежелательная почта", "Önemsiz", "垃圾邮件", "垃圾郵件",
        "迷惑メール", "スパム", "스팸", "스팸함",
        # Trash
        "Trash", "Bin", "Deleted", "Deleted Items", "Deleted Messages", "Papierkorb",
        "Gelöschte Elemente", "Gelöschte Objekte", "Gelöscht", "Corbeille",
        "Éléments supprimés", "Papelera", "Elementos eliminados", "Cestino",
        "Posta eliminata",
        "Prullenbak", "Prullenmand", "Verwijderde items", "Lixeira", "Lixo",
        "Itens Excluídos", "Itens eliminados", "Papirkurv", "Slettet post",
        "Slettede elementer", "Papperskorg", "Borttaget", "Borttagna objekt",
        "Roskakori", "Poistetut", "Koš", "Odstraněná pošta", "Kosz",
        "Elementy usunięte",
        "Lomtár", "Kuka", "Törölt elemek", "Coș de gunoi", "Корзина", "Удаленные",
        "Кошик", "Çöp Kutusu", "Silinmiş Öğeler", "Κάδος", "已删除", "已删除邮件",
        "废件箱", "刪除的郵件", "ゴミ箱", "ごみ箱", "削除済みアイテム", "휴지통",
        # Chat, and what is not mail or has not left yet
        "Chats", "Chat", "Conversation History", "Aufgezeichnete Unterhaltungen",
        "Outbox", "Postausgang", "Boîte d’envoi", "Boîte d'envoi", "Bandeja de salida",
        "Posta in uscita", "Templates", "Vorlagen", "Calendar", "Kalender", "Contacts",
        "Kontakte", "Tasks", "Aufgaben", "Notes", "Notizen", "Journal", "Sync Issues",
        "Starred", "Important",
    )
)  # fmt: skip
_SENT_NAMES = frozenset(
    name.casefold()
    for name in (
        "Sent", "Sent Items", "Sent Mail", "Sent Messages", "Sent Objects", "Gesendet",
        "Gesendete Elemente", "Gesendete Objekte", "Gesendete Nachrichten", "Envoyés",
        "Éléments envoyés", "Messages envoyés", "Objets envoyés", "Envoyé", "Enviados",
        "Elementos enviados", "Mensajes enviados", "Correo enviado", "Inviati",
        "Posta inviata", "Inviata", "Elementi inviati", "Verzonden", "Verzonden items",
        "Verzonden berichten", "Enviadas", "Itens Enviados", "Mensagens enviadas",
        "E-mails enviados", "Sendt", "Sendt post", "Sendte elementer", "Sendt e-post",
        "Skickat", "Skickade objekt", "Lähetetyt", "Odeslané", "Odeslaná pošta",
        "Wysłane", "Elementy wysłane", "Elküldött", "Elküldött elemek", "Trimise",
        "Отправленные", "Надіслані", "Gönderilmiş Öğeler", "Gönderilenler",
        "Απεσταλμένα", "已发送", "已发送邮件", "已寄出", "寄件備份", "送信済み",
        "送信済みアイテム", "送信済みメール", "보낸편지함", "보낸 편지함",
    )
)  # fmt: skip
_ALL_NAMES = frozenset({"all mail", "alle nachrichten", "tous les messages", "todos"})
_ARCHIVE_NAMES = frozenset(
    name.casefold()
    for name in (
        "Archive",
        "Archives",
        "Archiv",
        "Archivo",
        "Archivio",
        "Archief",
        "Arkiv",
    )
)


def streams_of(listed: Iterable[Listed]) -> list[Stream]:
    """The readable folders: inbox and sent first, then by name.

    :param listed: what LIST gave: attributes, delimiter, decoded name
    """
    found = _left(_Folder(*entry) for entry in listed)
    has_sent = any(one.role_said is StreamRole.SENT for one in found)
    streams = [one.stream(has_sent) for one in found]
    if streams and not any(stream.default for stream in streams):
        # No inbox: a mailbox that is one folder of everything
        streams = [
            Stream(one.stream, one.name, one.role, default=one.role is StreamRole.ALL)
            for one in streams
        ]
    order = [StreamRole.INBOX, StreamRole.SENT]
    streams.sort(
        key=lambda one: (
            order.index(one.role) if one.role in order else len(order),
            one.name.casefold(),
        )
    )
    return streams[:MAX_STREAMS]


def _left(folders: Iterable["_Folder"]) -> list["_Folder"]:
    """Those that can be opened and lie within none that is never read."""
    found: list[_Folder] = []
    never: list[str] | None = None
    # (in this order what lies within a folder follows it: each is compared once,
    # however many a server says that there are)
    for one in sorted(folders, key=lambda one: (one.path, not one.is_never)):
        if never is not None and one.is_within(never):
            continue
        if one.is_never:
            never = one.path
        elif one.is_mailbox:
            found.append(one)
    return found


class _Folder:
    """One line of LIST."""

    def __init__(self, attributes: Sequence[bytes], delimiter: bytes | None, name: str):
        self.name = name
        self.attributes = {attribute.lower() for attribute in attributes}
        separator = delimiter.decode("latin-1") if delimiter else ""
        self.path = name.split(separator) if separator else [name]
        said = [role for key, role in _ROLES.items() if key in self.attributes]
        self.role_said = said[0] if said else None
        self.is_inbox = name.upper() == "INBOX" or rb"\inbox" in self.attributes

    @property
    def own_name(self) -> str:
        """Its name in lower case where it stands at the top, or an empty string.

        Below the inbox, or Gmail's folder of folders, is the top too. Deeper down
        "Drafts" is somebody's own word.
        """
        path = self.path
        if len(path) == 2 and path[0].casefold() in (
            "inbox",
            "[gmail]",
            "[google mail]",
        ):
            return path[1].casefold()
        return path[0].casefold() if len(path) == 1 else ""

    @property
    def is_never(self) -> bool:
        """Drafts, spam, trash or chat; what lies within them is, too."""
        if self.is_inbox or self.role_said:
            return False
        return bool(self.attributes & _NEVER) or self.own_name in _NEVER_NAMES

    @property
    def is_mailbox(self) -> bool:
        """Can be opened."""
        return bool(self.name) and not self.attributes & _NO_MAILBOX

    def is_within(self, path: list[str]) -> bool:
        """Is the folder of that path, or lies below it."""
        return self.path[: len(path)] == path

    def stream(self, has_sent: bool) -> Stream:
        """What the rest of the program sees.

        :param has_sent: the server says of some folder that it is the sent one
        """
        role = self._role()
        is_default = self.is_inbox or (
            role is StreamRole.SENT and bool(self.role_said or not has_sent)
        )
        below_inbox = len(self.path) > 1 and self.path[0].upper() == "INBOX"
        shown = "/".join(self.path[below_inbox:])
        return Stream(self.name, "Inbox" if self.is_inbox else shown, role, is_default)

    def _role(self) -> StreamRole:
        if self.is_inbox:
            return StreamRole.INBOX
        if self.role_said:
            return self.role_said
        for names, role in (
            (_SENT_NAMES, StreamRole.SENT),
            (_ALL_NAMES, StreamRole.ALL),
            (_ARCHIVE_NAMES, StreamRole.ARCHIVE),
        ):
            if self.own_name in names:
                return role
        return StreamRole.OTHER
