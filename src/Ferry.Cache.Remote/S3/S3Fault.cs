using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Amazon.Runtime;
using Amazon.S3;

namespace Ferry.Cache.Remote.S3;

/// <summary>What a failed request means and what to do about it.</summary>
/// <param name="What">One sentence or two, without secrets: only codes and numbers of the store's answer are repeated, never its text.</param>
/// <param name="IsWorthRetry">True when the same request may pass a moment later.</param>
internal sealed record S3Fault(string What, bool IsWorthRetry)
{
    public static S3Fault Of(Exception error, ProgressDeadline progress, S3TierOptions options)
    {
        if (error is S3TierException own)
        {
            return new(own.Message.TrimEnd('.'), false); // Of ours, such as keys that could not be had; the time-out that passed meanwhile says less.
        }
        if (progress.IsIdle && progress.IsAwaitingAnswer)
        {
            return new($"all of its {progress.MovedBytes} bytes are sent and no answer came: the gateway or the store behind it hangs, or is full. Look at its health", false);
        }
        if (progress.IsIdle)
        {
            // A store that hangs hangs for the next try too; whoever waits had better recompute.
            return new($"nothing moved for {options.IdleTimeout.TotalSeconds:0.#} s after {progress.MovedBytes} bytes: the gateway or the store behind it hangs, or is full. Look at its health", false);
        }
        if (progress.IsLate)
        {
            return new($"it was not done after {progress.MovedBytes} bytes and its deadline: the store is slower than {options.BytesPerSecondMin / 1_000_000} MB/s", false);
        }
        return OfInnermost(error, options) ?? new($"{error.GetType().Name}", false);
    }

    /// <summary>The innermost that is known: a refused connection says more than the request that did not come about for it.</summary>
    private static S3Fault? OfInnermost(Exception? error, S3TierOptions options) =>
        error is null ? null : OfInnermost(error.InnerException, options) ?? OfOne(error, options);

    private static S3Fault? OfOne(Exception error, S3TierOptions options) => error switch
    {
        AmazonS3Exception answer when (int)answer.StatusCode >= 300 => OfAnswer(answer, options.Location),
        S3TierException own => new(own.Message.TrimEnd('.'), false),
        S3BodyCutException cut => new($"the connection ended after {cut.ReceivedBytes} of {cut.ExpectedBytes} bytes", true),
        // .NET has one type for both; its words are English in every culture.
        AuthenticationException tls when tls.Message.Contains("certificate", StringComparison.Ordinal) => new("its certificate is not trusted. Name the authority's PEM file with ca=, or correct the host name", false),
        AuthenticationException => new("no TLS connection came about. Is the endpoint's port the https one?", false),
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => new("nothing answers there (connection refused). Is the gateway running, and are host and port right?", true),
        SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData } =>
            new($"its host has no address. Correct the endpoint{(options.Location.IsPathStyle ? "" : ", or write style=path where buckets are not in DNS")}", true),
        HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } => new("its answer is not HTTP. Is the endpoint's port that of an S3 gateway, and http or https right?", false),
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => new("no TLS connection came about. Is the endpoint's port the https one?", false),
        SocketException or HttpIOException or HttpRequestException or IOException => new($"the connection was lost ({error.GetType().Name})", true),
        AmazonClientException => new("no credentials were found, or they could not be had. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a credentials file", false),
        TaskCanceledException or TimeoutException => new($"no connection within {options.ConnectTimeout.TotalSeconds:0.#} s", true),
        _ => null,
    };

    private static S3Fault OfAnswer(AmazonS3Exception answer, S3Location location)
    {
        var code = SafeCode(answer.ErrorCode);
        var said = $"it answered {(int)answer.StatusCode}{(code.Length > 0 ? " " + code : "")}";
        return code switch
        {
            "NoSuchBucket" => new($"{said}: the bucket does not exist. Create it, or correct its name in the URL", false),
            "InvalidAccessKeyId" => new($"{said}: the access key is not known there. Check AWS_ACCESS_KEY_ID or the credentials file", false),
            "SignatureDoesNotMatch" => new($"{said}: the secret key does not belong to the access key, or region \"{location.Region}\" is not the store's", false),
            "RequestTimeTooSkewed" or "RequestExpired" => new($"{said}: the clocks of this machine and of the store differ too much. Set both by NTP", false),
            "AccessDenied" => new($"{said}: the access key may not do this. Grant it list, get, put and delete on the bucket", false),
            "QuotaExceeded" => new($"{said}: the quota is used up. Raise it, or give the tier a limit below it", false),
            "SlowDown" or "ServiceUnavailable" => new($"{said}: the store asks for fewer requests", true),
            _ => (int)answer.StatusCode switch
            {
                403 => new($"{said}: refused. Check keys, bucket policy and clocks", false),
                404 => new($"{said}: no such bucket or path there. Check endpoint, bucket and style", false),
                >= 300 and < 400 => new($"{said}: the bucket is served elsewhere. Correct endpoint and region", false),
                429 => new($"{said}: the store asks for fewer requests", true),
                >= 500 => new($"{said}: the store failed", true),
                _ => new($"{said}: the store does not take this request. Is it an S3 gateway?", false),
            },
        };
    }

    /// <summary>An error code is a word; whatever else a stranger puts there is not repeated.</summary>
    public static string SafeCode(string? code) => code is { Length: > 0 and <= 64 } && code.All(char.IsAsciiLetterOrDigit) && !Enum.TryParse<HttpStatusCode>(code, out _) ? code : "";
}
