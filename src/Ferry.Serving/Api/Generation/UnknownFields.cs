namespace Ferry.Serving.Api.Generation;

internal static class UnknownFields
{
    private const int MaxNames = 16;

    /// <summary>Names fields that were ignored, at debug level: vLLM accepts any, so clients send any.</summary>
    public static void Log(ApiState api, string requestId, GenerationBody body)
    {
        if (body.Unknown is { Count: > 0 } unknown && api.Logger.IsEnabled(Microsoft.Extensions.Logging.LogLevel.Debug))
        {
            ApiLog.UnknownFields(api.Logger, requestId, string.Join(", ", unknown.Keys.Take(MaxNames).Select(name => name.Length <= 64 ? name : name[..64])));
        }
    }
}
