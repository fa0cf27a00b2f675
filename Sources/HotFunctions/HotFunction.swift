/// A function that every event goes through, ready to be called again and again by whoever measures it.
///
/// The functions themselves are not public; this is how another package reaches them. No service links it.
public struct HotFunction: Sendable {
    /// What it is called where figures are shown.
    public let name: String
    /// How many events one call handles.
    public let events: Int
    /// Calls it for one event of a sample, or for all.
    ///
    /// - Parameter number: Any number; it picks the event.
    /// - Returns: Something that depends on the work, so that it cannot be left out.
    public let call: @Sendable (_ number: Int) -> Int
}
