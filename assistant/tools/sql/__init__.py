"""Read-only SQL of a model's or user's making, on views that show one proving ground.

Three fences, each of which holds without the others: sqlglot lets only SELECTs over named views and functions
through; the query runs as a database role of its own, which may read those views and nothing else; and what the views
show hangs on a random token that only this process knows, and not on anything that a query could set.
"""

from assistant.tools.sql.running import query_database

__all__ = ["query_database"]
