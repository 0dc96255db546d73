public protocol ArtifactStore: Sendable {}
