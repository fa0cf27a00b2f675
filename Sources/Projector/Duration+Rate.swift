extension Duration {
    /// The time that some events take at a rate in events per second; `nil` if the rate is not positive.
    init?(of events: Int, at rate: Double) {
        guard rate > 0 else { return nil }
        self = .seconds(Double(events) / rate)
    }
}
