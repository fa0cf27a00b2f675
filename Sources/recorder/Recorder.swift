import ArgumentParser

/// The command line: `recorder COMMAND`.
///
/// Exit status 0: done; 1: failed, with the reason on standard error; 2: used wrongly.
@main
struct Recorder: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recorder",
        abstract: "Records conversation sessions as events, projects them, and plays them again.",
        discussion: """
            Settings come from flags, then the environment (DATABASE_URL, RECORDER_SCHEMA, RECORDER_LOG_LEVEL, \
            RECORDER_DIRECTORY, RECORDER_KEY_FILE), then a file: the one that --config or RECORDER_CONFIG names, or \
            .recorder/config.json. Without a database, commands use the server that `recorder dev` runs in .recorder/. A file \
            of settings looks like this:

              {"database": {"url": "postgres://host/calls"}, "recorder": {"schema": "s"}}

            EXAMPLES
              recorder demo                    see it all work, on a server of its own
              recorder dev                     run that server and the projector
              recorder import calls.jsonl      store events, each once
              recorder sessions --has-errors   list sessions
              recorder replay 019cad8f-ac00-7e4e-a7b6-815d4e98868f --speed 4
            """,
        version: "0.2.0",
        subcommands: [],
        groupedSubcommands: [
            CommandGroup(
                name: "Running",
                subcommands: [
                    DemoCommand.self, DevCommand.self, MigrateCommand.self, RepairCommand.self, BenchCommand.self,
                ]
            ),
            CommandGroup(
                name: "Events",
                subcommands: [
                    AppendCommand.self, ImportCommand.self, EventsCommand.self, TailCommand.self, SimulateCommand.self,
                ]
            ),
            CommandGroup(name: "Privacy", subcommands: [KeysCommand.self, SubjectCommand.self, RetentionCommand.self]),
            CommandGroup(name: "Caching", subcommands: [CacheCommand.self, LimitsCommand.self]),
            CommandGroup(
                name: "Projecting",
                subcommands: [
                    ProjectCommand.self, ProjectionsCommand.self, PricesCommand.self, DictionaryCommand.self,
                ]
            ),
            CommandGroup(
                name: "Reading",
                subcommands: [
                    SessionsCommand.self, SessionCommand.self, ReplayCommand.self, LatencyCommand.self,
                    CostsCommand.self, AuditCommand.self,
                ]
            ),
        ]
    )

    static func main() async {
        StandardDescriptors.reserve()
        do {
            try await RunningCommand.run {
                var command = try parseAsRoot()
                if var asynchronous = command as? any AsyncParsableCommand {
                    try await asynchronous.run()
                } else {
                    try command.run()
                }
            }
            try StandardOutput.shared.flush()
        } catch {
            ExitReport(error).exit()
        }
    }
}
