using Ferry.Serving.Api.Errors;

namespace Ferry.Serving.Api.Generation;

internal static class ModelCheck
{
    /// <summary>The name to answer with. No name asked for: the first.</summary>
    /// <exception cref="ApiException">404: this node does not serve the model.</exception>
    public static string Resolve(ApiState api, string? asked)
    {
        if (string.IsNullOrEmpty(asked))
        {
            return api.ModelName;
        }
        return api.ModelNames.Contains(asked)
            ? asked
            : throw ApiException.NotFound($"The model `{asked}` does not exist. This node serves {string.Join(", ", api.ModelNames.Select(name => $"`{name}`"))}.", "model");
    }
}
