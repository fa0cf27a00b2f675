internal import Postgres

extension Repositories {
    /// Makes a voice the user's active one, in place of the previous one.
    ///
    /// - Parameter version: The version that the caller has read.
    /// - Throws: ``DirectoryError`` with `.stale` or `.notFound`.
    @discardableResult
    public func activate(voiceModel id: EntityID<VoiceModel>, version: Int) async throws -> VoiceModel {
        try await activate(id, version: version, VoiceModel.settable.isActive)
    }

    /// Makes a face the user's active one, in place of the previous one.
    ///
    /// - Parameter version: The version that the caller has read.
    /// - Throws: ``DirectoryError`` with `.stale` or `.notFound`.
    @discardableResult
    public func activate(faceModel id: EntityID<FaceModel>, version: Int) async throws -> FaceModel {
        try await activate(id, version: version, FaceModel.settable.isActive)
    }

    private func activate<Model: StoredEntity>(
        _ id: EntityID<Model>,
        version: Int,
        _ isActive: SettableColumn<Model, Bool>
    ) async throws -> Model {
        try await transaction { unit in
            try await unit.lockUser()
            let models = TableRepository<Model>(unit.context)
            let idColumn = Column<Model, EntityID<Model>>("id")
            let others = Query<Model>(where: { _ in isActive.column == true && idColumn != id })
            try await models.updateMany(others) { _ in [isActive.set(false)] }
            return try await models.update(id, version: version) { _ in [isActive.set(true)] }
        }
    }

    /// Makes other transactions that activate a model of this user wait until this one ends, so that each sees what the
    /// previous one activated.
    private func lockUser() async throws {
        let text = SQLText("select id from users for no key update")
        _ = try await context.call { try await context.rows(TextStatement(text: text) { _ throws(PostgresError) in }) }
    }
}
