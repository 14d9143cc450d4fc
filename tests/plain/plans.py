"""What PostgreSQL did for a piece of code: the plans of the statements it executed.

Asked of PostgreSQL's own `auto_explain`, so the statements are those of the code and of
the foreign keys, with the parameters they had. (Loading it takes a superuser.)
"""

import json
from collections import Counter, deque
from contextlib import contextmanager

SETTINGS = {
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_format": "json",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_level": "notice",
    "client_min_messages": "notice",
}


class Recorder:
    """Records the plans of one connection.

    :param cr: Odoo's cursor
    :param tables: those that are large, and must not be scanned
    """

    def __init__(self, cr, tables):
        self.tables = frozenset(tables)
        cr.execute(
            """SELECT indexrelid::regclass::text, indrelid::regclass::text
               FROM pg_index WHERE indrelid = ANY(%s::regclass[])""",
            [list(tables)],
        )
        self.table_of = dict(cr.fetchall())
        self.notices = cr._cnx.notices = deque()
        cr.execute("LOAD 'auto_explain'")
        for name, value in SETTINGS.items():
            cr.execute(f"SET {name} = '{value}'")
        cr.commit()

    @contextmanager
    def record(self, found):
        """Add to a dict what is executed: `statements`, `scans` and `rows`.

        `scans` are statements with a sequential scan of a large table, [table, text];
        `rows` those that were looked at of each large table, thrown away or not.
        """
        self.notices.clear()
        yield
        found.update(statements=0, scans=[], rows=Counter())
        for notice in self.notices:
            _words, _sep, text = notice.partition("plan:\n")
            if not text:
                continue
            told = json.loads(text)
            found["statements"] += 1
            for node in self._nodes(told["Plan"]):
                self._add(found, node, told["Query Text"])

    def _nodes(self, plan):
        yield plan
        for child in plan.get("Plans", ()):
            yield from self._nodes(child)

    def _add(self, found, node, statement):
        # a bitmap of an index may have read more of it than of the table
        table = node.get("Relation Name") or self.table_of.get(node.get("Index Name"))
        if table not in self.tables or "Scan" not in node["Node Type"]:
            return
        if "Seq Scan" in node["Node Type"]:
            found["scans"].append([table, " ".join(statement.split())])
        looked_at = node["Actual Rows"] + sum(
            node.get(f"Rows Removed by {reason}", 0)
            for reason in ("Filter", "Index Recheck")
        )
        found["rows"][table] += round(looked_at * node["Actual Loops"])
