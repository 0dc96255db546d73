import Crypto
import Feeds
import Ranking

extension Environment {
    public func describeRecipe(arn: String, by caller: Caller) throws(OperationError) -> CatalogueRecipe {
        try recipe(arn: arn)
    }

    public func describeAlgorithm(arn: String, by caller: Caller) throws(OperationError) -> CatalogueRecipe {
        let parsed = try ResourceARN(parsing: arn, .algorithm, field: "algorithmArn")
        guard let recipe = CatalogueRecipe.named(parsed.path) else { throw ResourceARN.notFound(arn) }
        return recipe
    }

    public func describeFeatureTransformation(arn: String, by caller: Caller) throws(OperationError) -> CatalogueRecipe {
        let parsed = try ResourceARN(parsing: arn, .featureTransformation, field: "featureTransformationArn")
        guard let recipe = CatalogueRecipe.named(parsed.path) else { throw ResourceARN.notFound(arn) }
        return recipe
    }

    /// By name: all of the contract, or the use cases of a domain. Our own is described, not listed: programs know the contract's.
    public func listRecipes(
        provider: String? = nil, domain: String? = nil, _ request: PageRequest, by caller: Caller
    ) throws(OperationError) -> Page<CatalogueRecipe> {
        if let provider { try Check.oneOf(provider, ["SERVICE"], field: "recipeProvider") }
        if let domain { try Check.oneOf(domain, Domain.allCases.map(\.rawValue), field: "domain") }
        let recipes =
            domain.map { name in CatalogueRecipe.all.filter { $0.domain?.rawValue == name } }
            ?? CatalogueRecipe.all.filter { !$0.description.isImported }
        let start = try recipeOffset(request.nextToken, domain: domain)
        let items = recipes.dropFirst(start).prefix(request.maxResults)
        let end = start + items.count
        return Page(items: Array(items), nextToken: end < recipes.count ? recipeToken(end, domain: domain) : nil)
    }

    func recipe(arn: String) throws(OperationError) -> CatalogueRecipe {
        let parsed = try ResourceARN(parsing: arn, .recipe, field: "recipeArn")
        guard let recipe = CatalogueRecipe.named(parsed.path) else { throw ResourceARN.notFound(arn) }
        return recipe
    }

    /// The list never changes while a program runs, so a token is a place in it.
    private func recipeOffset(_ token: String?, domain: String?) throws(OperationError) -> Int {
        guard let token else { return 0 }
        guard let offset = CatalogueRecipe.all.indices.first(where: { ConstantTime.equal(recipeToken($0, domain: domain), token) }) else {
            throw .invalidNextToken
        }
        return offset
    }

    private func recipeToken(_ offset: Int, domain: String?) -> String {
        Hex.encode(HMACSHA256.authenticate("ListRecipes \(domain ?? "") \(offset)", key: sealer.derivedKey("page-token")).prefix(16))
    }
}
