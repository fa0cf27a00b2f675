import ArgumentParser
import Logging

/// The flags that every command with a database takes.
struct SettingsOptions: ParsableArguments {
    @Option(
        name: .customLong("database-url"),
        help: ArgumentHelp("Where the database is; else DATABASE_URL.", valueName: "url")
    )
    var databaseURL: String?

    @Option(help: ArgumentHelp("The schema of the recorder's tables; else RECORDER_SCHEMA, else 'recorder'."))
    var schema: String?

    @Option(
        help: ArgumentHelp(
            "A JSON file with settings; else RECORDER_CONFIG, else .recorder/config.json.",
            valueName: "file"
        )
    )
    var config: String?

    @Option(
        help: ArgumentHelp("The keys for personal fields; else RECORDER_KEY_FILE, RECORDER_KEYS.", valueName: "file"),
        completion: .file()
    )
    var keyFile: String?

    @Option(
        help: ArgumentHelp(
            "What to log on standard error; else RECORDER_LOG_LEVEL.",
            valueName: "level"
        )
    )
    var logLevel: LogLevel?

    @Flag(help: "Print one JSON object a line.")
    var json = false

    func validate() throws {
        try ValidationError.checking {
            if let databaseURL { try Settings.check(databaseURL: databaseURL) }
            if let schema { try Settings.check(schema: schema) }
        }
    }

    /// Refuses flags that a command with a server of its own has no use for.
    func refuseForOwnServer() throws {
        if databaseURL != nil { throw ValidationError("--database-url: this command runs a server of its own.") }
        if keyFile != nil {
            throw ValidationError("--key-file: this command runs a server that has keys of its own in its directory.")
        }
    }

    /// Loads the settings from flags, environment and file.
    ///
    /// - Parameter logLevel: The level to log at unless one is given.
    /// - Throws: ``CommandError`` with code `.setting` that says which one cannot be used.
    func settings(logLevel fallback: Logger.Level = .warning) async throws -> Settings {
        try await Settings.load(self, logLevel: fallback)
    }
}

/// swift-log's levels, as a flag takes them.
enum LogLevel: String, CaseIterable, ExpressibleByArgument {
    case trace, debug, info, notice, warning, error, critical
}
