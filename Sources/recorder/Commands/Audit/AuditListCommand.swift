import ArgumentParser
import Cache
import EventModel
import ReadModel

/// `recorder audit list`: audited events in their order.
struct AuditListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists audited events in the order of the log.",
        discussion: """
            EXAMPLES
              recorder audit --action 'user.*' --from 2026-03-01
              recorder audit --backwards --limit 20
              recorder audit list --limit 0 --json > audit.jsonl
            """
    )

    @Option(help: ArgumentHelp("Only those about this user.", valueName: "id"))
    var user: StreamID?

    @Option(
        help: ArgumentHelp("Only this type, such as user.logged_in, or all of a noun: 'user.*'.", valueName: "type")
    )
    var action: String?

    @OptionGroup var range: TimeRangeOptions

    @Option(parsing: .unconditional, help: ArgumentHelp("How many at most; 0 for all.", valueName: "count"))
    var limit = 100

    @Flag(help: "From the last event to the first.")
    var backwards = false

    @OptionGroup var options: SettingsOptions

    func validate() throws {
        guard limit >= 0 else { throw ValidationError("--limit is 0 or more.") }
    }

    func run() async throws {
        let settings = try await options.settings()
        var filter = AuditFilter()
        filter.user = user
        filter.action = action
        filter.from = range.from
        filter.until = range.until
        filter.isBackwards = backwards
        var widths: [Int]?
        try await settings.withReadModels { models in
            let count = try await Paging.all(limit, largest: AuditFilter.largestPage) { limit, last in
                filter.limit = limit
                filter.after = last?.position
                return try await models.audit(filter)
            } show: { page in
                Self.table.print(page, widths: &widths, json: options.json) { Self.write($1, to: &$0) }
            }
            if count == 0 { try await HiddenRows.warn(of: "audit_logs", models) }
            try await StoppedStreams.warn(of: ["audit_logs"], models)
        }
    }

    private static let table = TextTable<AuditEntry>([
        .init("time (UTC)") { Figures.moment($0.timestamp) },
        .init("user") { $0.userID?.description },
        .init("action") { $0.action },
        .init("result") { $0.result },
        .init("address") { $0.ipAddress },
        .init("resource", isFlexible: true) { $0.resource },
    ])

    private static func write(_ entry: AuditEntry, to line: inout JSONLine) {
        line.field("id", entry.eventID.description)
        line.field("position", Int(entry.position))
        line.field("userId", entry.userID?.description)
        line.field("action", entry.action)
        line.field("resource", entry.resource)
        line.field("result", entry.result)
        line.field("ipAddress", entry.ipAddress)
        line.field("userAgent", entry.userAgent)
        line.field("metadata", entry.metadata)
        line.field("timestamp", entry.timestamp)
        line.field("hash", entry.hash?.hexadecimal)
        line.field("previousHash", entry.previousHash?.hexadecimal)
    }
}
