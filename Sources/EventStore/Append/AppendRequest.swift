internal import EventModel

/// An append on its way to be written: all or nothing.
struct AppendRequest: Sendable, Equatable {
    let parcel: AppendParcel
    /// The indices of its parts among the parcel's.
    private let range: Range<Int>

    init(parcel: AppendParcel, parts: Range<Int>) {
        self.parcel = parcel
        range = parts
    }

    static func == (one: AppendRequest, other: AppendRequest) -> Bool {
        one.parcel === other.parcel && one.range == other.range
    }

    /// Its parts, each for another stream.
    var parts: ArraySlice<AppendParcel.Part> { parcel.parts[range] }

    /// The events of one of its parts.
    func events(of part: AppendParcel.Part) -> ArraySlice<AppendParcel.Event> { parcel.events[part.events] }

    /// How much memory appends will hold when they are packed: an upper bound, in bytes.
    static func size(of appends: some Sequence<some StreamAppend>) -> Int {
        appends.reduce(0) { $0 + size(of: $1) }
    }

    /// How much memory an append will hold when it is packed: an upper bound, in bytes.
    static func size(of append: some StreamAppend) -> Int {
        append.events.reduce(128) { $0 + $1.jsonCount + 160 }
    }
}
