/// How much a user may ask of an endpoint: bursts up to a capacity, and a steady rate in the long run.
public struct RateLimit: Sendable, Hashable {
    /// How many tokens a bucket holds at most: the largest burst.
    public let capacity: Double
    /// How many tokens flow into it a second.
    public let refillPerSecond: Double

    /// - Parameters:
    ///   - capacity: Above 0.
    ///   - refillPerSecond: Above 0.
    public init(capacity: Double, refillPerSecond: Double) {
        self.capacity = capacity
        self.refillPerSecond = refillPerSecond
    }

    /// Allows `count` tokens per `time`, refilled evenly, and as many at once.
    public static func every(_ time: Duration, _ count: Double) -> RateLimit {
        RateLimit(capacity: count, refillPerSecond: count / (time / .seconds(1)))
    }
}
