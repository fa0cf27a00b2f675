/// Checks of settings that need no database.
extension Settings {
    /// Refuses a mistyped address that libpq would take for the name of a database on this machine's server.
    ///
    /// - Throws: ``CommandError`` with code `.setting`, which never quotes the address: it may hold a password.
    static func check(databaseURL url: String) throws(CommandError) {
        guard !url.isEmpty else {
            throw CommandError(.setting, "the database's address is empty: see --database-url and the file of settings")
        }
        // As libpq tells them apart: a URL, pairs of names and values, the name of a database.
        guard
            url.hasPrefix("postgres://") || url.hasPrefix("postgresql://") || url.contains(#/^\s*\w+\s*=/#)
                || !url.contains(where: { "/:@=".contains($0) })
        else {
            throw CommandError(
                .setting,
                "the database's address is none of PostgreSQL's: write postgres://USER@HOST/DATABASE, or host=HOST "
                    + "dbname=DATABASE; see --database-url and DATABASE_URL"
            )
        }
    }

    /// The longest name of a schema, in bytes: names may have 63, and channels add up to seven (`_events`) to it.
    private static let longestSchema = 56

    /// Refuses a schema name that does not work everywhere.
    ///
    /// - Throws: ``CommandError`` with code `.setting`.
    static func check(schema: String) throws(CommandError) {
        guard (1...longestSchema).contains(schema.utf8.count) else {
            throw CommandError(
                .setting,
                "the schema's name must have 1 to \(longestSchema) bytes, not \(schema.utf8.count): see --schema and "
                    + "RECORDER_SCHEMA"
            )
        }
        // The server takes it for the name of the role, even in quotes.
        guard schema != "$user" else {
            throw CommandError(
                .setting,
                "the schema's name must not be $user, which stands for the role that connects: see --schema and RECORDER_SCHEMA"
            )
        }
        // Definitions are compared as the server writes them, and it writes such names in more than one way.
        guard !schema.contains(where: { "\"'\\".contains($0) || $0.asciiValue.map { $0 < 0x20 } == true }) else {
            throw CommandError(
                .setting,
                "the schema's name must have no quotes, backslashes or control characters: see --schema and RECORDER_SCHEMA"
            )
        }
    }

    /// The directory, if it is one: an empty one would mean the current directory.
    ///
    /// - Throws: ``CommandError`` with code `.setting`.
    static func checked(directory: String) throws(CommandError) -> String {
        guard !directory.isEmpty else {
            throw CommandError(
                .setting,
                "the directory is empty: give --directory or RECORDER_DIRECTORY a path, or leave it out for .recorder"
            )
        }
        return directory
    }
}
