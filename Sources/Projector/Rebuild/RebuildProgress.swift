/// How far a rebuild or a verification is.
package struct RebuildProgress: Sendable {
    /// What it is at.
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
    /// Events read so far, also before it was resumed: each as often as a projection handles it.
    package let done: Int
    /// How many that will be, as far as is known.
    package let total: Int
    /// Events read a second since it was begun or resumed.
    package let rate: Double
    /// How long folding takes still at that rate.
    package var timeLeft: Duration? { Duration(of: max(0, total - done), at: rate) }
}
