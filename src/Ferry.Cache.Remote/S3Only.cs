namespace Ferry.Cache.Remote;

/// <summary>Settings of S3 beside a URL of another kind would do nothing, so they are errors.</summary>
internal static class S3Only
{
    /// <remarks>The region is not among them: AWS_DEFAULT_REGION is often set for other programs.</remarks>
    public static void Check(string url, RemoteTierOptions options, List<string> errors)
    {
        if (options.S3Endpoint is { } endpoint)
        {
            errors.Add($"LMCACHE_S3_ENDPOINT_URL is {TierUrl.ForDisplay(endpoint)}, but cache.shared.url is \"{TierUrl.ForDisplay(url)}\", no S3. Write s3://BUCKET?endpoint=…, or leave the endpoint out.");
        }
        if (options.PlainHttp)
        {
            errors.Add($"disable_tls is set, but cache.shared.url is \"{TierUrl.ForDisplay(url)}\", no S3. Leave it out.");
        }
    }
}
