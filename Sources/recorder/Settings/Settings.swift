import Configuration
import EventStore
import Foundation
import Logging

/// What a command works with: flags first, then the environment, then a file.
struct Settings: Sendable {
    /// How to reach the database; nil if not given.
    private(set) var databaseURL: String?
    /// The schema of the recorder's tables.
    let schema: String
    /// Where `recorder dev` and `recorder demo` keep their server.
    private(set) var directory: String
    /// The key-encryption keys for personal fields.
    private(set) var keys: SealingKeys
    /// Where people's objects are.
    let objects: ObjectSettings
    /// Writes to standard error.
    let logger: Logger

    /// The directory of the embedded server unless another is given.
    static let usualDirectory = ".recorder"

    /// Reads the settings and starts logging.
    ///
    /// - Parameters:
    ///   - options: The flags.
    ///   - logLevel: The level to log at unless one is given.
    /// - Throws: ``CommandError`` with code `.setting`.
    static func load(_ options: SettingsOptions, logLevel: Logger.Level) async throws -> Settings {
        let providers: [any ConfigProvider] = try await [
            InMemoryProvider(name: "flags", values: flags(options)),
            // An empty address counts as none: libpq would use its own defaults.
            EnvironmentVariablesProvider(
                environmentVariables: ProcessInfo.processInfo.environment.filter {
                    $0.key != "DATABASE_URL" || !$0.value.isEmpty
                }
            ),
            SettingsFile(options.config).provider(),
        ]
        let reader = ConfigReader(providers: providers)
        let levelName = reader.string(forKey: "recorder.logLevel", default: logLevel.rawValue)
        guard let level = Logger.Level(rawValue: levelName) else {
            let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw CommandError(.setting, "the log level '\(levelName)' is not known: take one of \(levels)")
        }
        let schema = reader.string(forKey: "recorder.schema", default: "recorder")
        try check(schema: schema)
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        let databaseURL = reader.string(forKey: "database.url")
        if let databaseURL { try check(databaseURL: databaseURL) }
        let directory = try checked(directory: reader.string(forKey: "recorder.directory", default: usualDirectory))
        return Settings(
            databaseURL: databaseURL,
            schema: schema,
            directory: directory,
            keys: try keys(providers, embeddedIn: databaseURL == nil ? directory : nil),
            objects: ObjectSettings(reader),
            logger: Logger(label: "recorder")
        )
    }

    /// The keys as given, a file or the keys themselves, by the first who gives either; else those of the embedded
    /// server, if it is the database.
    private static func keys(
        _ providers: [any ConfigProvider],
        embeddedIn directory: String?
    ) throws(CommandError) -> SealingKeys {
        for provider in providers {
            let reader = ConfigReader(provider: provider)
            if let path = reader.string(forKey: "recorder.keyFile") { return try KeyFile.read(path) }
            if let text = reader.string(forKey: "recorder.keys", isSecret: true) {
                return try KeyFile.parse(text.replacing(",", with: "\n"), origin: "RECORDER_KEYS")
            }
        }
        guard let path = directory.map({ KeyFile.embedded(in: $0) }), FileManager.default.fileExists(atPath: path)
        else {
            return .none
        }
        return try KeyFile.read(path)
    }

    /// The same settings for another database, with that database's keys.
    func with(databaseURL: String, keys: SealingKeys) -> Settings {
        var copy = self
        copy.databaseURL = databaseURL
        copy.keys = keys
        return copy
    }

    /// The same settings with another directory, if one is given.
    ///
    /// - Throws: ``CommandError`` with code `.setting` if it is empty.
    func with(directory: String?) throws(CommandError) -> Settings {
        var copy = self
        copy.directory = try Self.checked(directory: directory ?? self.directory)
        return copy
    }

    private static func flags(_ options: SettingsOptions) -> [AbsoluteConfigKey: ConfigValue] {
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        if let url = options.databaseURL { values[["database", "url"]] = ConfigValue(.string(url), isSecret: true) }
        if let schema = options.schema {
            values[["recorder", "schema"]] = ConfigValue(.string(schema), isSecret: false)
        }
        if let path = options.keyFile {
            values[["recorder", "keyFile"]] = ConfigValue(.string(path), isSecret: false)
        }
        if let level = options.logLevel {
            values[["recorder", "logLevel"]] = ConfigValue(.string(level.rawValue), isSecret: false)
        }
        return values
    }
}
