using System.Security.Cryptography;
using Amazon.Runtime;
using Amazon.Runtime.Credentials;
using Amazon.S3;
using Amazon.S3.Model;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Verification.Probes;

/// <summary>The bucket can be listed, written, read and cleaned up with the keys of ferry.yaml, from this machine, and the clocks agree.</summary>
internal sealed class S3Probe : IProbe
{
    private const int ObjectBytes = 64 << 10;

    /// <summary>S3 refuses signatures that are further off.</summary>
    private static readonly TimeSpan SkewMax = TimeSpan.FromMinutes(15);

    /// <summary>Still accepted, but on its way out.</summary>
    private static readonly TimeSpan SkewWarned = TimeSpan.FromMinutes(1);

    public string Id => "s3";

    public string Title => "the bucket takes, gives and forgets an object";

    public IEnumerable<ProbeTask> Tasks(VerifyCluster cluster) => cluster.Spec.Storage.S3 is { } s3
        ? [new ProbeTask($"{s3.Endpoint.TrimEnd('/')}/{s3.Bucket}", token => RunAsync(cluster, s3, token))]
        : [];

    private static async Task<ProbeAnswer> RunAsync(VerifyCluster cluster, S3Spec s3, CancellationToken cancellationToken)
    {
        var skew = await SkewAsync(cluster, s3, cancellationToken);
        if (skew is { } off && off.Duration() > SkewMax)
        {
            return ProbeAnswer.Violation($"the store's clock is {Seconds(off)} s {(off > TimeSpan.Zero ? "ahead of" : "behind")} this machine's; signatures are refused beyond 900 s.", "Run chrony or systemd-timesyncd on both hosts.");
        }
        if (Credentials(cluster, s3) is not { } credentials)
        {
            return ProbeAnswer.Inconclusive($"the keys of the bucket cannot be read here: {SecretReader.Place(s3.AccessKey!)}, {(s3.SecretKey is { } key ? SecretReader.Place(key) : "no secretKey")}.", "Run ferry verify where they are.");
        }
        var problem = await RoundTripAsync(s3, credentials, s3.PathStyle, cancellationToken);
        if (problem is null)
        {
            return skew is { } small && small.Duration() > SkewWarned
                ? ProbeAnswer.Violation($"list, put, get and delete succeed, but the store's clock is {Seconds(small)} s off.", "Run chrony or systemd-timesyncd on both hosts.")
                : ProbeAnswer.Pass($"list, put, get and delete of {ObjectBytes >> 10} KiB succeed, {(s3.PathStyle ? "path" : "virtual-hosted")} style{(skew is { } known ? $", clocks within {Math.Max(1, Math.Ceiling(known.Duration().TotalSeconds)):0} s" : "")}");
        }
        var other = await RoundTripAsync(s3, credentials, !s3.PathStyle, cancellationToken);
        return other is null
            ? ProbeAnswer.Violation($"{problem} With pathStyle: {(!s3.PathStyle).ToString().ToLowerInvariant()} it succeeds.", $"Set storage.s3.pathStyle: {(!s3.PathStyle).ToString().ToLowerInvariant()}.")
            : ProbeAnswer.Violation(problem, Fix(problem));
    }

    private static AWSCredentials? Credentials(VerifyCluster cluster, S3Spec s3)
    {
        if (s3.AccessKey is null)
        {
            try
            {
                return DefaultAWSCredentialsIdentityResolver.GetCredentials();
            }
            catch (AmazonClientException)
            {
                return null;
            }
        }
        return SecretReader.TryRead(s3.AccessKey, cluster.Options.Variables) is { } access && SecretReader.TryRead(s3.SecretKey, cluster.Options.Variables) is { } secret ? new BasicAWSCredentials(access, secret) : null;
    }

    /// <returns>What failed; null when all four steps succeeded. The object is deleted whatever happens.</returns>
    private static async Task<string?> RoundTripAsync(S3Spec s3, AWSCredentials credentials, bool pathStyle, CancellationToken cancellationToken)
    {
        using var client = new AmazonS3Client(credentials, new AmazonS3Config
        {
            ServiceURL = s3.Endpoint,
            ForcePathStyle = pathStyle,
            AuthenticationRegion = s3.Region,
            MaxErrorRetry = 0,
            Timeout = TimeSpan.FromSeconds(10),
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,   // Ceph before 18 does not know the new ones.
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        });
        var content = RandomNumberGenerator.GetBytes(ObjectBytes);
        var name = $"{(s3.Prefix.Trim('/') is { Length: > 0 } prefix ? prefix + "/" : "")}ferry-verify/{Convert.ToHexStringLower(content.AsSpan(0, 16))}";
        var step = "list";
        try
        {
            await client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = s3.Bucket, Prefix = s3.Prefix, MaxKeys = 1 }, cancellationToken);
            step = "put";
            using (var stream = new MemoryStream(content))
            {
                await client.PutObjectAsync(new PutObjectRequest { BucketName = s3.Bucket, Key = name, InputStream = stream }, cancellationToken);
            }
            step = "get";
            using (var got = await client.GetObjectAsync(new GetObjectRequest { BucketName = s3.Bucket, Key = name, ByteRange = new ByteRange(0, ObjectBytes - 1) }, cancellationToken))
            {
                using var read = new MemoryStream(ObjectBytes);
                await got.ResponseStream.CopyToAsync(read, cancellationToken);
                if (!read.GetBuffer().AsSpan(0, (int)read.Length).SequenceEqual(content))
                {
                    return "get gives other bytes than were put.";
                }
            }
            step = "delete";
            await client.DeleteObjectAsync(s3.Bucket, name, cancellationToken);
            return null;
        }
        catch (AmazonS3Exception exception)
        {
            await TryDeleteAsync(client, s3.Bucket, name, step);
            return $"{step}: {(int)exception.StatusCode} {exception.ErrorCode}.";   // The message may quote the access key.
        }
        catch (Exception exception) when (exception is AmazonClientException or HttpRequestException or IOException or TimeoutException)
        {
            await TryDeleteAsync(client, s3.Bucket, name, step);
            return $"{step}: {exception.GetBaseException().Message}.";
        }
    }

    private static async Task TryDeleteAsync(AmazonS3Client client, string bucket, string name, string step)
    {
        if (step is "list" or "put")
        {
            return;
        }
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5), TimeProvider.System);
            await client.DeleteObjectAsync(bucket, name, patience.Token);
        }
        catch (Exception exception) when (exception is AmazonClientException or HttpRequestException or IOException or OperationCanceledException)
        {
            // The answer already says that the store does not do what it should.
        }
    }

    /// <returns>How far the store's clock is ahead, to the second; null when it does not say.</returns>
    private static async Task<TimeSpan?> SkewAsync(VerifyCluster cluster, S3Spec s3, CancellationToken cancellationToken)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Head, s3.Endpoint);
            var sent = cluster.Time.GetUtcNow();
            using var response = await cluster.Http.SendAsync(request, cancellationToken);
            var received = cluster.Time.GetUtcNow();
            return response.Headers.Date is { } date ? date - (sent + ((received - sent) / 2)) : null;
        }
        catch (HttpRequestException)
        {
            return null;   // The round trip will say so in its own words.
        }
    }

    private static string Seconds(TimeSpan time) => time.Duration().TotalSeconds.ToString("0", System.Globalization.CultureInfo.InvariantCulture);

    private static string Fix(string problem) => problem switch
    {
        _ when problem.Contains("NoSuchBucket", StringComparison.Ordinal) => "Create the bucket, or correct storage.s3.bucket.",
        _ when problem.Contains("SignatureDoesNotMatch", StringComparison.Ordinal) || problem.Contains("InvalidAccessKeyId", StringComparison.Ordinal) => "Check both keys at the places that ferry.yaml names.",
        _ when problem.Contains("AccessDenied", StringComparison.Ordinal) => "Grant these keys list, get, put and delete on the bucket.",
        _ when problem.Contains("QuotaExceeded", StringComparison.Ordinal) => "Raise the quota, or set storage.s3.size below it.",
        _ => "",
    };
}
