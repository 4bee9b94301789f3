"""What happened in a run as tables that queries in SQL are asked of.

fact_rows.py    the tables: what a row of each says
gather_facts.py from a run that is over to rows
fact_base.py    the rows in SQLite, and queries that give one answer
"""
