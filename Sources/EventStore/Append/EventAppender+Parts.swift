internal import EventModel

extension EventAppender {
    /// Appends of one lane that are put into its queue together.
    struct Part {
        let lane: Int
        var places: [Int] = []
        var size = 0

        mutating func add(_ place: Int, size: Int) {
            places.append(place)
            self.size += size
        }
    }

    /// The most bytes that are put into a queue at once, so that producers with many appends take turns.
    private static let partSize = 256 << 10

    /// Divides appends into parts of one lane each, in their order.
    func parts(of appends: [some StreamAppend]) -> [Part] {
        var parts: [Part] = []
        var open = [Int?](repeating: nil, count: lanes)
        for (place, append) in appends.enumerated() {
            let lane = lane(of: append.stream)
            let size = AppendRequest.size(of: append)
            if let part = open[lane], parts[part].size + size <= Self.partSize {
                parts[part].add(place, size: size)
            } else {
                open[lane] = parts.count
                parts.append(Part(lane: lane))
                parts[parts.count - 1].add(place, size: size)
            }
        }
        return parts
    }

    // Not for other targets: what is generic is specialised in its own target only.
    func handOver(appends: [some StreamAppend]) async throws -> AppendOutcomes {
        let outcomes = AppendOutcomes(count: appends.count)
        var taken = 0
        for part in parts(of: appends) {
            do {
                try await put(part, of: appends, outcomes)
                taken += part.places.count
            } catch {
                guard taken > 0 else { throw error }
                outcomes.settle(part.places.lazy.map { ($0, .failure(error)) })
            }
        }
        return outcomes
    }

    /// Hands some appends of one lane over; those that cannot be packed fail alone.
    private func put(_ part: Part, of appends: [some StreamAppend], _ outcomes: AppendOutcomes) async throws {
        let places = part.places
        let keys = await sealer?.keys(forEachOf: appends, at: places)
        try await reserve(part.size, for: places.map { appends[$0].stream })
        var contents = AppendParcelContents(
            encoder: encoder,
            fields: keys?.fields,
            size: part.size,
            appends: places.count
        )
        var failures: [(place: Int, result: AppendResult)] = []
        for (index, place) in places.enumerated() {
            do {
                try contents.add(appends[place], place: place, key: keys?.key(at: index))
            } catch {
                failures.append((place, .failure(error)))
            }
        }
        outcomes.settle(failures)
        sealer?.forget(failures.map { appends[$0.place].stream })
        guard !contents.isEmpty else { return queue.release(part.size) }
        let parcel = AppendParcel(contents, isOneAppend: false, size: part.size, outcomes: outcomes, sealer: sealer)
        do {
            try queue.put(parcel, in: part.lane)
        } catch {
            guard failures.isEmpty else { return parcel.settle(error) }
            sealer?.forget(places.map { appends[$0].stream })
            throw error
        }
    }
}
