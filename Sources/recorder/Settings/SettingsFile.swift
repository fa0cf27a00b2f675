import Configuration
import EventModel
import Foundation
import Schema

/// The file of settings: a JSON object of objects, whose members are strings.
struct SettingsFile {
    /// The file that is read where none is named.
    static let defaultPath = ".recorder/config.json"

    /// The settings that it may hold; nothing else is read.
    private static let keys = [
        "database.url", "recorder.schema", "recorder.directory", "recorder.logLevel", "recorder.keyFile",
        "recorder.keys",
        "recorder.objects", "recorder.s3.endpoint", "recorder.s3.region", "aws.accessKeyId", "aws.secretAccessKey",
        "aws.sessionToken",
    ]

    private static let example = #"{"database": {"url": "…"}, "recorder": {"schema": "recorder"}}"#

    private let path: String
    private let isNamed: Bool

    /// - Parameter named: The value of `--config`, which takes precedence over `RECORDER_CONFIG`.
    /// - Throws: ``CommandError`` with code `.setting` if a file is named that is not there.
    init(_ named: String?) throws(CommandError) {
        let named = named ?? ProcessInfo.processInfo.environment["RECORDER_CONFIG"]
        if let named, !FileManager.default.fileExists(atPath: named) {
            throw CommandError(.setting, "the file of settings \(named) is not there: see --config and RECORDER_CONFIG")
        }
        (path, isNamed) = (named ?? Self.defaultPath, named != nil)
    }

    /// Reads it.
    ///
    /// - Throws: ``CommandError`` with code `.setting` if it is no JSON object, or holds an unknown setting: silently
    ///   ignoring one may lead to another database.
    func provider() async throws(CommandError) -> FileProvider<JSONSnapshot> {
        let place: [AbsoluteConfigKey: ConfigValue] = [
            ["filePath"]: ConfigValue(.string(path), isSecret: false),
            ["allowMissing"]: ConfigValue(.bool(!isNamed), isSecret: false),
        ]
        let (provider, value): (FileProvider<JSONSnapshot>, JSONValue?)
        do {
            value = try FileManager.default.contents(atPath: path).map { try JSONValue(json: Array($0)) }
            provider = try await FileProvider(config: ConfigReader(provider: InMemoryProvider(values: place)))
        } catch {
            throw CommandError(
                .setting,
                "the settings in \(path) cannot be read: \(reason(error)). It must be a JSON object such as \(Self.example)",
                cause: error
            )
        }
        if let value { try check(value, at: []) }
        return provider
    }

    private func reason(_ error: any Error) -> String { error is EventModelError ? "\(error)" : error.fileReason }

    private func check(_ value: JSONValue, at names: [String]) throws(CommandError) {
        let key = names.joined(separator: ".")
        if Self.keys.contains(key) {
            guard value.string == nil else { return }
            throw CommandError(.setting, "\(key) in the file of settings \(path) must be a string")
        }
        guard case .object(let members) = value,
            names.isEmpty || Self.keys.contains(where: { $0.hasPrefix("\(key).") })
        else {
            throw CommandError(
                .setting,
                "\(key) in the file of settings \(path) is no setting. It may hold \(Self.keys.joined(separator: ", ")), as in "
                    + Self.example
            )
        }
        for member in members { try check(member.value, at: names + [member.name]) }
    }
}
