namespace Ferry.Serving.Api.Generation;

internal sealed class StreamOptions
{
    public bool? IncludeUsage { get; set; }

    public bool? ContinuousUsageStats { get; set; }
}
