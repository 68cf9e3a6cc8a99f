namespace Ferry.Serving.Api.Models;

internal sealed record ModelCard(string Id, long Created, string Root, int MaxModelLen, IReadOnlyList<ModelPermission> Permission)
{
    public string Object { get; } = "model";

    public string OwnedBy { get; } = "ferry";

    public string? Parent { get; }
}
