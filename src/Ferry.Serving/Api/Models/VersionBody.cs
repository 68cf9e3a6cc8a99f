namespace Ferry.Serving.Api.Models;

internal sealed record VersionBody(string Version)
{
    /// <summary>Tells Ferry nodes from vLLM pods.</summary>
    public string Engine { get; } = "ferry";
}
