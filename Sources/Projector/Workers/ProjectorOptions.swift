/// The bounds of a projector.
package struct ProjectorOptions: Sendable {
    /// What to do with an event that a projection cannot apply.
    package enum OnFailure: String, Sendable, CaseIterable {
        /// Stop its stream for that projection and go on with all others.
        case quarantine
        /// End the projector with an error.
        case halt
    }

    /// The most events that one transaction folds; fewer if they are large.
    package var batchSize: Int
    /// How long to wait for a wake-up before looking without one.
    package var pollInterval: Duration
    /// How long a projector that only catches up keeps trying to reach the server, and to retry a stopped stream whose
    /// rows somebody has locked; the daemon never gives up.
    package var patience: Duration
    /// How long the server may take to answer a worker before its connection counts as lost, and the worker begins
    /// again on another one. Without this limit its heartbeat, on a connection of its own, would keep its shards from
    /// all others forever. Far longer than a batch takes; one that takes longer is tried again with half as many
    /// events.
    package var answerTimeout: Duration
    /// How many workers this process has.
    package var workers: Int
    /// How many shards a projection gets if it has none yet, 1 … 256.
    package var shards: Int
    /// What to do with an event that a projection cannot apply.
    package var onFailure: OnFailure

    package init(
        batchSize: Int = 10_000,
        pollInterval: Duration = .milliseconds(250),
        patience: Duration = .seconds(30),
        answerTimeout: Duration = .seconds(60),
        workers: Int = 1,
        shards: Int = 16,
        onFailure: OnFailure = .quarantine
    ) {
        self.batchSize = batchSize
        self.pollInterval = pollInterval
        self.patience = patience
        self.answerTimeout = answerTimeout
        self.workers = workers
        self.shards = shards
        self.onFailure = onFailure
    }
}
