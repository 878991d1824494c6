// The C API of SQLite, as the system has it (Debian: libsqlite3-dev). StockArchive is the only target that sees it.

#include <sqlite3.h>
