"""The forecast workbook in and out, and CSV.

`opening` → `reading` → `resolving` turn a file into decisions about each of its rows, without a database; `importing`
carries them out through the services, `export` writes the schedule back in the same layout.
"""
