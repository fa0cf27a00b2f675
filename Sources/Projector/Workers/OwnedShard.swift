internal import EventModel
internal import EventStore

/// A shard that a worker holds: what the database says of it, and what the worker knows beyond that.
struct OwnedShard {
    /// The checkpoint as it stands in the database.
    var checkpoint: Checkpoint
    /// Where the worker has read to. Ahead of the checkpoint while there was nothing to fold for this shard of this
    /// projection: to read that nothing again costs little, and to write it down each time would cost much.
    var cursor: LogCursor
    /// How many events lie between the checkpoint and the cursor, none of which the projection handles.
    var passed = 0
    /// The streams that stand in quarantine.
    var stopped: Set<StreamID>

    init(_ checkpoint: Checkpoint, stopped: Set<StreamID>) {
        self.checkpoint = checkpoint
        cursor = checkpoint.cursor
        self.stopped = stopped
    }

    /// Takes over that the checkpoint was moved to a cursor.
    mutating func advanced(to cursor: LogCursor, given: Int) {
        checkpoint = Checkpoint(checkpoint, cursor: cursor, events: checkpoint.events + Int64(given))
        self.cursor = cursor
        passed = 0
    }
}
