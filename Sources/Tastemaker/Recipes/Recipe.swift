public import Postgres
public import Ranking

/// A recipe that a solution can be made with, as the contract describes it.
public struct CatalogueRecipe: Sendable {
    public let description: RecipeDescription

    public var name: String { description.name.rawValue }
    public var type: String { description.recipeType }
    /// Last part of the algorithm's ARN.
    public var algorithm: String { description.algorithm }
    /// Last part of the feature transformation's ARN: one for each recipe, for the defaults differ.
    public var featureTransformation: String { description.name.rawValue }
    /// The domain whose use case it is; nil for the recipes of solutions.
    public var domain: DomainUseCase.Domain? { description.useCase?.domain }
    /// Hyperparameters that the contract knows; our own additions are accepted but not shown.
    public var hyperparameters: [RecipeParameter] { description.hyperparameters.filter(\.isContract) }
    public var featurization: [RecipeParameter] { description.featurization.filter(\.isContract) }

    /// When the recipes came into being, for the contract's date members.
    public static let createdAt = PGTimestamp(seconds: 1_704_067_200)

    /// By name.
    static let all = RecipeName.allCases.map { CatalogueRecipe(description: $0.description) }.sorted { $0.name < $1.name }

    static func named(_ name: String) -> CatalogueRecipe? {
        all.first { $0.name.utf8.elementsEqual(name.utf8) }
    }
}
