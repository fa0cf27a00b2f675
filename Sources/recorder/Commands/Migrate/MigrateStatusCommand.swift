import ArgumentParser
import EventModel
import Schema

/// `recorder migrate status`: the state of each migration.
struct MigrateStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Lists the migrations, and which of them are applied.",
        discussion: """
            EXAMPLES
              recorder migrate status
              recorder migrate status --json | jq 'select(.state != "applied")'
            """
    )

    @OptionGroup var source: MigrationsOptions
    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let settings = try await options.settings()
        let statuses = try await source.withMigrator(settings) { migrator, connection in
            try await migrator.status(on: connection)
        }
        let table = TextTable<Migrator.Status>([
            .init("migration") { $0.title },
            .init("state") { Self.state($0.state) },
            .init("applied at") { Self.appliedAt($0.state)?.description },
        ])
        table.print(statuses, json: options.json) { line, status in
            line.field("version", status.version)
            line.field("name", status.name)
            line.field("state", Self.state(status.state))
            line.field("appliedAt", Self.appliedAt(status.state))
        }
    }

    private static func state(_ state: Migrator.State) -> String {
        switch state {
        case .applied: "applied"
        case .pending: "pending"
        case .changed: "changed"
        case .missing: "missing"
        case .outOfOrder: "out of order"
        }
    }

    private static func appliedAt(_ state: Migrator.State) -> Timestamp? {
        if case .applied(let date) = state { Timestamp(date) } else { nil }
    }
}
