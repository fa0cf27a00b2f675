internal import EventStore
internal import Postgres

/// How sessions that fold are set up.
enum FoldSession {
    /// Their settings, beside those of whoever connects.
    static let settings: [String: String] = LogReader.sessionSettings.merging(
        [
            // Rows and checkpoint go together: a crash of the server only moves both back.
            "synchronous_commit": "off",
            // To plan each batch anew took half of the time, and to compile its plan would take longer than to run it.
            "plan_cache_mode": "force_generic_plan",
            "jit": "off",
            // A batch sorts in memory.
            "work_mem": "32MB",
            // A batch's table is there already, most of the time.
            "client_min_messages": "warning",
        ]
    ) { $1 }
}
