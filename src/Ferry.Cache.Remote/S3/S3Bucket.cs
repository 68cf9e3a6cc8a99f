using System.Net;
using System.Runtime.CompilerServices;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Ferry.Cache.Tiers;

namespace Ferry.Cache.Remote.S3;

/// <summary>The few things that a tier asks of a bucket, each with its deadline and tries. Keys are relative to the prefix. Thread-safe.</summary>
internal sealed class S3Bucket : IDisposable
{
    private const int ListPage = 1000; // What S3 answers at most, and deletes at once.

    private readonly S3TierOptions _options;
    private readonly TimeProvider _time;
    private readonly S3HttpClientFactory _connections;
    private readonly AWSCredentials? _credentials;
    private readonly AmazonS3Client _client;
    private readonly S3Requests _requests;
    private readonly string _root;

    public S3Bucket(S3TierOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        _root = $"{options.Location.Prefix}{RecordPath.FormatDirectory}/";
        _requests = new S3Requests(options, time);
        var plain = options.Location.Endpoint.Scheme == Uri.UriSchemeHttp;
        var downToHttp = plain && !options.SignPayload;
        _connections = new S3HttpClientFactory(options, downToHttp);
        var endpoint = options.Location.Endpoint;
        var config = new AmazonS3Config
        {
            ServiceURL = $"{(downToHttp ? Uri.UriSchemeHttps : endpoint.Scheme)}://{endpoint.IdnHost}:{endpoint.Port}",
            AuthenticationRegion = options.Location.Region,
            ForcePathStyle = options.Location.IsPathStyle,
            // Ceph up to 16 refuses the checksums that newer SDKs add unasked; a record has its own.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            MaxErrorRetry = 0, // S3Requests tries again: the SDK does not for a body.
            Timeout = TimeSpan.FromHours(1), // Above every deadline of ours.
            BufferSize = 1 << 20,
            DisableLogging = true,
            LogResponse = false,
            HttpClientFactory = _connections,
            DisableS3ExpressSessionAuth = true,
        };
        _credentials = S3Credentials.Find(options, time);
        _client = _credentials is null ? new AmazonS3Client(config) : new AmazonS3Client(_credentials, config);
    }

    public long Retries => _requests.Retries;

    /// <summary>Objects whose key begins with <paramref name="prefix"/>, one page of at most <paramref name="countMax"/>.</summary>
    public async Task<IReadOnlyList<TierListing>> ListPageAsync(string prefix, int countMax, CancellationToken cancellationToken)
    {
        var page = await ListAsync(prefix, null, Math.Min(countMax, ListPage), cancellationToken);
        return page.Objects;
    }

    /// <summary>All objects whose key begins with <paramref name="prefix"/>, page by page.</summary>
    public async IAsyncEnumerable<TierListing> ListAllAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? next = null;
        do
        {
            (var objects, next) = await ListAsync(prefix, next, ListPage, cancellationToken);
            foreach (var one in objects)
            {
                yield return one;
            }
        }
        while (next is not null);
    }

    /// <summary>Fills <paramref name="destination"/> with an object of its length.</summary>
    /// <returns>False when the object is gone or has another length.</returns>
    /// <remarks>Without a range: for one, Ceph's gateway asks the store twice where once is enough (RGWGetObj::prefetch_data).</remarks>
    public async Task<bool> TryGetAsync(string key, Memory<byte> destination, CancellationToken cancellationToken) =>
        await GetAsync(key, null, destination.Length, destination, cancellationToken) is not null;

    /// <returns>Length of the object, or null when there is none.</returns>
    public Task<long?> TryGetLengthAsync(string key, CancellationToken cancellationToken) => _requests.SendAsync("HEAD", 0, async progress =>
    {
        try
        {
            var answer = await _client.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = Name, Key = _root + key }, progress.Token);
            return (long?)answer.ContentLength;
        }
        catch (AmazonS3Exception error) when (error.StatusCode == HttpStatusCode.NotFound)
        {
            return null; // HEAD has no body that could tell a missing bucket; the PUT that follows does.
        }
    }, cancellationToken);

    /// <summary>Writes an object with one request.</summary>
    /// <returns><see cref="TierPutOutcome.Present"/> when <paramref name="onlyIfAbsent"/> and it is there; <see cref="TierPutOutcome.Full"/> when a quota is used up.</returns>
    public Task<TierPutOutcome> PutAsync(string key, ReadOnlyMemory<byte> record, bool onlyIfAbsent, CancellationToken cancellationToken) => _requests.UploadAsync(
        $"PUT of {record.Length} bytes", record.Length, async progress =>
    {
        var body = S3RequestHandler.Body.Value = new RecordBody(record, progress);
        try
        {
            await _client.PutObjectAsync(new PutObjectRequest
            {
                BucketName = Name,
                Key = _root + key,
                InputStream = new RecordStream(record, progress),
                AutoResetStreamPosition = false,
                UseChunkEncoding = false, // aws-chunked costs a second hash over the body.
                DisablePayloadSigning = !_options.SignPayload,
                IfNoneMatch = onlyIfAbsent ? "*" : null,
            }, progress.Token);
            return TierPutOutcome.Stored;
        }
        catch (AmazonS3Exception error) when (onlyIfAbsent && error.StatusCode is HttpStatusCode.PreconditionFailed or HttpStatusCode.Conflict)
        {
            return TierPutOutcome.Present; // 409 is what some stores answer while another writes the same key.
        }
        catch (AmazonS3Exception error) when (IsFull(error))
        {
            return TierPutOutcome.Full;
        }
        finally
        {
            await body.UnusedAsync();
        }
    }, cancellationToken);

    /// <summary>Writes an object in parts; it appears when the last is there, and nothing of it stays when one fails.</summary>
    public async Task<TierPutOutcome> PutInPartsAsync(string key, ReadOnlyMemory<byte> record, CancellationToken cancellationToken)
    {
        var upload = await _requests.SendAsync("start of a multipart PUT", 0, async progress =>
            (await _client.InitiateMultipartUploadAsync(new InitiateMultipartUploadRequest { BucketName = Name, Key = _root + key }, progress.Token)).UploadId, cancellationToken);
        try
        {
            var partCount = (record.Length + _options.PartBytes - 1) / _options.PartBytes;
            var tags = new PartETag?[partCount];
            var full = false;
            await Parallel.ForAsync(0, partCount, AtOnce(cancellationToken), async (part, token) =>
            {
                var bytes = record.Slice(part * _options.PartBytes, Math.Min(_options.PartBytes, record.Length - part * _options.PartBytes));
                tags[part] = full ? null : await PutPartAsync(key, upload, part + 1, bytes, token);
                full |= tags[part] is null;
            });
            if (full)
            {
                await TryAbortAsync(key, upload);
                return TierPutOutcome.Full;
            }
            await _requests.SendAsync("end of a multipart PUT", record.Length, progress => _client.CompleteMultipartUploadAsync(
                new CompleteMultipartUploadRequest { BucketName = Name, Key = _root + key, UploadId = upload, PartETags = [.. tags!] }, progress.Token), cancellationToken);
            return TierPutOutcome.Stored;
        }
        catch
        {
            await TryAbortAsync(key, upload);
            throw;
        }
    }

    /// <summary>Fills <paramref name="destination"/> by ranges read at the same time.</summary>
    /// <returns>False when the object is gone, has another length, or changed between two ranges.</returns>
    public async Task<bool> TryGetInRangesAsync(string key, Memory<byte> destination, CancellationToken cancellationToken)
    {
        var rangeCount = (destination.Length + _options.PartBytes - 1) / _options.PartBytes;
        var tags = new string?[rangeCount];
        await Parallel.ForAsync(0, rangeCount, AtOnce(cancellationToken), async (range, token) =>
        {
            var offset = range * _options.PartBytes;
            var piece = destination.Slice(offset, Math.Min(_options.PartBytes, destination.Length - offset));
            tags[range] = await GetAsync(key, new ByteRange(offset, offset + piece.Length - 1), destination.Length, piece, token);
        });
        // Equal tags: all ranges are of one object, though it may have been written over meanwhile.
        return Array.TrueForAll(tags, tag => tag is not null && tag == tags[0]);
    }

    /// <summary>Deletes; a key that is not there counts as deleted.</summary>
    public async Task DeleteAsync(IReadOnlyList<string> keys, CancellationToken cancellationToken)
    {
        foreach (var page in keys.Chunk(ListPage))
        {
            await _requests.SendAsync($"DELETE of {page.Length} objects", 0, async progress =>
            {
                if (page.Length == 1)
                {
                    await _client.DeleteObjectAsync(new DeleteObjectRequest { BucketName = Name, Key = _root + page[0] }, progress.Token);
                    return true;
                }
                var answer = await _client.DeleteObjectsAsync(
                    new DeleteObjectsRequest { BucketName = Name, Quiet = true, Objects = [.. page.Select(key => new KeyVersion { Key = _root + key })] }, progress.Token);
                return answer.DeleteErrors is not { Count: > 0 } errors
                    ? true
                    : throw new S3TierException($"{errors.Count} of {page.Length} objects could not be deleted");
            }, cancellationToken);
        }
    }

    /// <summary>Ends uploads in parts that a process left when it died: their parts take room and show in no listing.</summary>
    public async Task<int> AbortUploadsAsync(TimeSpan olderThan, CancellationToken cancellationToken)
    {
        var answer = await _requests.SendAsync("list of unfinished uploads", 0, progress => _client.ListMultipartUploadsAsync(
            new ListMultipartUploadsRequest { BucketName = Name, Prefix = _root, MaxUploads = ListPage }, progress.Token), cancellationToken);
        var oldest = _time.GetUtcNow() - olderThan;
        var left = (answer.MultipartUploads ?? []).Where(upload => upload.Initiated is { } at && new DateTimeOffset(at.ToUniversalTime()) < oldest).ToArray();
        foreach (var upload in left)
        {
            await AbortAsync(upload.Key, upload.UploadId, cancellationToken);
        }
        return left.Length;
    }

    public void Dispose()
    {
        _client.Dispose();
        (_credentials as IDisposable)?.Dispose();
        _connections.Dispose();
        _requests.Dispose();
    }

    private string Name => _options.Location.Bucket;

    private ParallelOptions AtOnce(CancellationToken cancellationToken) =>
        new() { MaxDegreeOfParallelism = _options.PartsAtOnce, CancellationToken = cancellationToken };

    private Task<(IReadOnlyList<TierListing> Objects, string? Next)> ListAsync(string prefix, string? from, int countMax, CancellationToken cancellationToken) =>
        _requests.SendAsync("LIST", 0, async progress =>
        {
            var answer = await _client.ListObjectsV2Async(
                new ListObjectsV2Request { BucketName = Name, Prefix = _root + prefix, MaxKeys = countMax, ContinuationToken = from }, progress.Token);
            IReadOnlyList<TierListing> objects =
            [
                .. (answer.S3Objects ?? []).Where(one => one.Key.StartsWith(_root, StringComparison.Ordinal)).Select(one => new TierListing(
                    one.Key[_root.Length..], one.Size ?? 0, new DateTimeOffset((one.LastModified ?? DateTime.UnixEpoch).ToUniversalTime()))),
            ];
            return (objects, answer.IsTruncated == true ? answer.NextContinuationToken : null);
        }, cancellationToken);

    /// <returns>The object's ETag (empty for the whole object), or null when it is gone or has another length.</returns>
    private Task<string?> GetAsync(string key, ByteRange? range, long objectBytes, Memory<byte> destination, CancellationToken cancellationToken) => _requests.SendAsync(
        $"GET of {destination.Length} bytes", destination.Length, progress => GetAsync(key, range, objectBytes, destination, progress), cancellationToken);

    private async Task<string?> GetAsync(string key, ByteRange? range, long objectBytes, Memory<byte> destination, ProgressDeadline progress)
    {
        try
        {
            using var answer = await _client.GetObjectAsync(new GetObjectRequest { BucketName = Name, Key = _root + key, ByteRange = range }, progress.Token);
            if ((range is null ? answer.ContentLength : TotalBytes(answer)) != objectBytes)
            {
                return null;
            }
            for (var filled = 0; filled < destination.Length;)
            {
                var count = await answer.ResponseStream.ReadAsync(destination[filled..], progress.Token);
                if (count == 0)
                {
                    throw new S3BodyCutException(filled, destination.Length);
                }
                filled += count;
                progress.Moved(count);
            }
            return answer.ETag ?? "";
        }
        catch (AmazonS3Exception error) when (error.ErrorCode is "NoSuchKey" or "InvalidRange")
        {
            return null;
        }
        catch (HttpIOException error) when (error.HttpRequestError == HttpRequestError.ResponseEnded)
        {
            throw new S3BodyCutException(progress.MovedBytes, destination.Length);
        }
    }

    /// <summary>Length of the whole object: behind the slash of <c>bytes 0-99/2048</c>.</summary>
    private static long? TotalBytes(GetObjectResponse answer) =>
        answer.ContentRange is { } range && range.LastIndexOf('/') is var slash and >= 0 && long.TryParse(range.AsSpan(slash + 1), out var total) ? total : null;

    /// <summary>507 is what other stores answer.</summary>
    private static bool IsFull(AmazonS3Exception error) => error.ErrorCode == "QuotaExceeded" || error.StatusCode == HttpStatusCode.InsufficientStorage;

    /// <returns>Null when a quota is used up.</returns>
    private Task<PartETag?> PutPartAsync(string key, string upload, int number, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        _requests.UploadAsync($"PUT of a part of {bytes.Length} bytes", bytes.Length, async progress =>
        {
            var body = S3RequestHandler.Body.Value = new RecordBody(bytes, progress);
            try
            {
                var answer = await _client.UploadPartAsync(new UploadPartRequest
                {
                    BucketName = Name,
                    Key = _root + key,
                    UploadId = upload,
                    PartNumber = number,
                    PartSize = bytes.Length,
                    InputStream = new RecordStream(bytes, progress),
                    UseChunkEncoding = false,
                    DisablePayloadSigning = !_options.SignPayload,
                }, progress.Token);
                return new PartETag(number, answer.ETag);
            }
            catch (AmazonS3Exception error) when (IsFull(error))
            {
                return null;
            }
            finally
            {
                await body.UnusedAsync();
            }
        }, cancellationToken);

    /// <summary>After a failure or a cancel, so with a deadline of its own; what it cannot end, <see cref="AbortUploadsAsync"/> ends later.</summary>
    private async Task TryAbortAsync(string key, string upload)
    {
        using var deadline = new CancellationTokenSource(_options.RequestDeadline, _time);
        try
        {
            await AbortAsync(_root + key, upload, deadline.Token);
        }
        catch (Exception error) when (error is S3TierException or OperationCanceledException)
        {
            // The store is gone; the error that brought us here says so.
        }
    }

    private Task<bool> AbortAsync(string fullKey, string upload, CancellationToken cancellationToken) => _requests.SendAsync("end of an unfinished upload", 0, async progress =>
    {
        try
        {
            await _client.AbortMultipartUploadAsync(new AbortMultipartUploadRequest { BucketName = Name, Key = fullKey, UploadId = upload }, progress.Token);
        }
        catch (AmazonS3Exception error) when (error.StatusCode == HttpStatusCode.NotFound)
        {
            // Another node was quicker.
        }
        return true;
    }, cancellationToken);
}
