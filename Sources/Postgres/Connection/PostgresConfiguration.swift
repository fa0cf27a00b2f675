/// How to reach a server, and how its sessions are set up.
package struct PostgresConfiguration: Sendable {
    /// A libpq connection string or URI: Unix socket, TCP, several hosts with `target_session_attrs`, TLS.
    ///
    /// Source: PostgreSQL manual, 34.1.1 "Connection Strings".
    package var url: String
    /// The schema of unqualified names; `nil` keeps the server's `search_path`.
    package var schema: String?
    /// The name in `pg_stat_activity`, unless the URL gives one.
    package var applicationName: String
    /// Settings of the session, such as `["statement_timeout": "5s"]`.
    package var settings: [String: String]
    /// How long to try to connect, to all hosts of the URL together.
    package var connectTimeout: Duration
    /// How long a cancelled statement may take to stop before its connection is closed.
    package var cancelTimeout: Duration
    /// How long the server may take to answer before the connection is closed as lost; `nil` for no bound except the
    /// task's cancellation.
    package var answerTimeout: Duration?

    /// Finds the addresses of a host; may block for long.
    var lookUp: @Sendable (_ host: String) throws(PostgresError) -> [String] = AddressLookup.addresses

    package init(
        url: String,
        schema: String? = nil,
        applicationName: String = "recorder",
        settings: [String: String] = [:],
        connectTimeout: Duration = .seconds(10),
        cancelTimeout: Duration = .seconds(5),
        answerTimeout: Duration? = nil
    ) {
        self.url = url
        self.schema = schema
        self.applicationName = applicationName
        self.settings = settings
        self.connectTimeout = connectTimeout
        self.cancelTimeout = cancelTimeout
        self.answerTimeout = answerTimeout
    }

    /// The schema of the recorder's tables: the given one, or else `recorder`.
    package var recorderSchema: String { schema ?? "recorder" }

    /// All settings of the session, by name.
    ///
    /// JIT is off by default: it costs milliseconds on statements that take microseconds. Values that are read as text,
    /// by this program or again by the server, have the same format on every server: time zones in digits, and all
    /// digits of a number.
    var sessionSettings: [String: String] {
        var all = [
            "jit": "off", "standard_conforming_strings": "on", "datestyle": "ISO, MDY", "intervalstyle": "postgres",
            "extra_float_digits": "1",
        ]
        if let schema { all["search_path"] = Self.quotedIdentifier(schema) }
        return all.merging(settings) { _, given in given }
    }

    /// A name as an SQL identifier in double quotes.
    package static func quotedIdentifier(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
