// The one place that knows which version this is. CHANGELOG.md says what is in it.

/// The version of the server and its tools, as `HELLO`, `STATS` and `stockade --version` show it.
public let stockadeVersion = "0.1.0"
