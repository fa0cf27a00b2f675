extension Duration {
    /// How long so many events take at a rate, in events a second; `nil` if nothing moves.
    init?(of events: Int, at rate: Double) {
        guard rate > 0 else { return nil }
        self = .seconds(Double(events) / rate)
    }
}
