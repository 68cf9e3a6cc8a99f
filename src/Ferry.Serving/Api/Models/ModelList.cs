namespace Ferry.Serving.Api.Models;

internal sealed record ModelList(IReadOnlyList<ModelCard> Data)
{
    public string Object { get; } = "list";
}
