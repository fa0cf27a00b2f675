/// How far a rebuild or a verification is.
package struct RebuildProgress: Sendable {
    /// What it is doing.
    package enum Phase: String, Sendable {
        /// Folding the log.
        case folding
        /// Comparing with the live model.
        case comparing
        /// Waiting for transactions that began before the new model was whole.
        case waitingForReaders
        /// Putting the new model in place.
        case swapping
    }

    package let phase: Phase
    /// Which projection is compared or swapped; `nil` while all are folded together.
    package var projection: String?
    /// Events read so far, earlier runs included; an event counts once for each projection that handles it.
    package let done: Int
    /// How many there are to read, as far as is known.
    package let total: Int
    /// Events read per second since this run began.
    package let rate: Double
    /// How long folding will still take at that rate.
    package var timeLeft: Duration? { Duration(of: max(0, total - done), at: rate) }
}
