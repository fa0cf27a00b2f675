internal import Postgres

extension Repositories {
    /// Has other transactions that activate something of this user wait until this one ends: each then sees what the one
    /// before made active.
    private func lockUser() async throws {
        let text = SQLText("select id from users for no key update")
        _ = try await context.rows(TextStatement(text: text) { _ throws(PostgresError) in })
    }

    /// Has the user speak with a voice, and not with the one before.
    ///
    /// - Parameter version: The version that the caller has read.
    /// - Throws: ``DirectoryError`` with `.stale` or `.notFound`.
    @discardableResult
    public func activate(voiceModel id: EntityID<VoiceModel>, version: Int) async throws -> VoiceModel {
        try await transaction { unit in
            try await unit.lockUser()
            let active = Query<VoiceModel>(where: { $0.isActive == true && $0.id != id })
            try await unit.voiceModels.updateMany(active) { [$0.isActive.set(false)] }
            return try await unit.voiceModels.update(id, version: version) { [$0.isActive.set(true)] }
        }
    }

    /// Has the user be shown with a face, and not with the one before.
    ///
    /// - Parameter version: The version that the caller has read.
    /// - Throws: ``DirectoryError`` with `.stale` or `.notFound`.
    @discardableResult
    public func activate(faceModel id: EntityID<FaceModel>, version: Int) async throws -> FaceModel {
        try await transaction { unit in
            try await unit.lockUser()
            let active = Query<FaceModel>(where: { $0.isActive == true && $0.id != id })
            try await unit.faceModels.updateMany(active) { [$0.isActive.set(false)] }
            return try await unit.faceModels.update(id, version: version) { [$0.isActive.set(true)] }
        }
    }
}
