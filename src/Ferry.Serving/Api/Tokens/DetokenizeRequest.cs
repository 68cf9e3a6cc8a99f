namespace Ferry.Serving.Api.Tokens;

internal sealed class DetokenizeRequest
{
    public string? Model { get; set; }

    public IReadOnlyList<int>? Tokens { get; set; }
}
