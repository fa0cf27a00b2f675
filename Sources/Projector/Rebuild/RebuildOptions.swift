package import EventStore
internal import FoundationEssentials

/// The bounds of a rebuild.
package struct RebuildOptions: Sendable {
    /// How many connections fold at a time, each for its shards.
    package var parallelism: Int
    /// The most events that one transaction folds, fewer if they are large; with the parallelism this bounds the
    /// memory.
    package var batchSize: Int
    /// Whether to swap even if the new model differs from the live one, as a new version's is meant to.
    package var acceptDifferences: Bool
    /// How many differences to show.
    package var differenceLimit: Int
    /// How long one attempt to swap waits for readers, while others queue behind it, before it lets them go first.
    package var lockTimeout: Duration
    /// How long the swap waits for the transactions that would see half a model.
    package var patience: Duration
    /// The key-encryption keys, for a log whose personal fields are sealed.
    package var keys: SealingKeys

    package init(
        parallelism: Int = min(4, ProcessInfo.processInfo.activeProcessorCount),
        batchSize: Int = 10_000,
        acceptDifferences: Bool = false,
        differenceLimit: Int = 20,
        lockTimeout: Duration = .milliseconds(300),
        patience: Duration = .seconds(3600),
        keys: SealingKeys = .none
    ) {
        self.parallelism = parallelism
        self.batchSize = batchSize
        self.acceptDifferences = acceptDifferences
        self.differenceLimit = differenceLimit
        self.lockTimeout = lockTimeout
        self.patience = patience
        self.keys = keys
    }
}
