using System.Net.Sockets;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Ferry.Cache.Remote;
using Ferry.Cache.Remote.S3;
using Ferry.Cache.Tiers;
using Ferry.Kv.Keys;
using Ferry.TestKit.Cache;
using Ferry.TestKit.Lab;
using Microsoft.Extensions.Logging.Abstractions;

using S3Location = Ferry.Cache.Remote.S3.S3Location;

namespace Ferry.Benchmarks.Remote;

/// <summary>
/// The S3 tier against the best plain use of the SDK and against a bare HttpClient with presigned URLs, on one real Ceph that this brings up, in alternating
/// rounds of one run. Ferry's side asks whether a record is there, writes only if it is not, and proves what it reads; the others do none of it.
/// </summary>
internal static class S3Benchmark
{
    private sealed record Case(string Name, int PayloadBytes, int Parallel, int PerWorker, int Rounds);

    public static void Run(string[] args) => RunAsync(args).GetAwaiter().GetResult();

    private static async Task RunAsync(string[] args)
    {
        await using var lab = await CephLab.StartAsync(24L << 30); // 80 MiB × 8 writes 8 GB before anything is deleted, and a store that is nearly full hangs.
        var location = new S3Location(new Uri($"http://127.0.0.1:{lab.GatewayPort()}"), CephLab.Bucket, "bench/", "default", true, null);
        var options = new S3TierOptions
        {
            Location = location,
            Environment = name => name == "AWS_ACCESS_KEY_ID" ? CephLab.AccessKey : name == "AWS_SECRET_ACCESS_KEY" ? CephLab.SecretKey : null,
            RequestDeadline = TimeSpan.FromMinutes(1), // What is measured is speed, not patience.
            IdleTimeout = TimeSpan.FromMinutes(1),
        };
        await using var tier = new S3Tier(options, TimeProvider.System, NullLogger<S3Tier>.Instance);
        using var plain = new PlainSdk(location);
        using var bare = new HttpClient(PlainSdk.Sockets());

        Console.WriteLine("| record | at a time | | Ferry MB/s | SDK MB/s | bare HTTP MB/s | Ferry / SDK (least–greatest) | Ferry / bare HTTP | Ferry CPU-s/GB | SDK | bare HTTP |");
        Console.WriteLine("|---|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|");
        var number = 0;
        var warmUp = new Case("", 64 << 10, 4, 100, 1); // The compiler's time belongs to nobody's gigabyte.
        foreach (var one in Cases().Where(one => args.Length == 0 || args.Contains(one.Name.Replace(" ", "")) || args.Contains($"{one.Name.Replace(" ", "")}x{one.Parallel}")).Prepend(warmUp))
        {
            var records = new BenchRecords(one.PayloadBytes, one.Parallel);
            var first = number;
            var put = await AlternatingRun.RunAsync(one.Rounds,
                async _ => await InParallelAsync(one, worker => PutByFerryAsync(tier, records, worker, Interlocked.Increment(ref number))),
                async _ => await InParallelAsync(one, worker => plain.PutAsync($"sdk/{Interlocked.Increment(ref number)}", records.Destination(worker))),
                async _ => await InParallelAsync(one, worker => BarePutAsync(bare, plain.Presign(HttpVerb.PUT, $"bare/{Interlocked.Increment(ref number)}"), records.Destination(worker))));
            Print(one, "PUT", put, records.RecordBytes);

            var numbers = Enumerable.Range(0, one.Parallel * one.PerWorker).Select(_ => ++number).ToArray();
            var found = new List<TierRecord>();
            foreach (var existing in numbers)
            {
                await PutByFerryAsync(tier, records, 0, existing);
                found.AddRange(await tier.FindAsync(Key(existing), CancellationToken.None));
            }
            string[] keys = [.. found.Select(record => $"bench/{RecordPath.FormatDirectory}/{record.Location}")];
            string[] urls = [.. keys.Select(key => plain.Presign(HttpVerb.GET, key))];
            var get = await AlternatingRun.RunAsync(one.Rounds,
                _ => InParallelAsync(one, found, async (worker, record) =>
                {
                    if ((await tier.ReadAsync(record, records.Destination(worker), CancellationToken.None)).Outcome != TierReadOutcome.Read)
                    {
                        throw new InvalidOperationException("A record was not read.");
                    }
                }),
                _ => InParallelAsync(one, keys, (worker, key) => plain.GetAsync(key, records.Destination(worker))),
                _ => InParallelAsync(one, urls, (worker, url) => BareGetAsync(bare, url, records.Destination(worker))));
            Print(one, "GET", get, records.RecordBytes);
            await plain.WipeAsync();
        }
        await MeasureLookUpsAsync(tier, plain);
    }

    private static IEnumerable<Case> Cases()
    {
        foreach (var (name, bytes, objects, rounds) in new[] { ("64 KiB", 64 << 10, 64, 7), ("1 MiB", 1 << 20, 32, 7), ("20 MiB", 20 << 20, 8, 7), ("80 MiB", 80 << 20, 4, 3) })
        {
            foreach (var parallel in new[] { 1, 4, 8 })
            {
                yield return new Case(name, bytes, parallel, Math.Max(1, objects / parallel), rounds);
            }
        }
    }

    /// <summary>What finding a chain costs, by listing each chunk and by asking for names that one would have to know.</summary>
    private static async Task MeasureLookUpsAsync(S3Tier tier, PlainSdk plain)
    {
        const int Chunks = 512;
        var records = new BenchRecords(4096, 8);
        await Parallel.ForEachAsync(Enumerable.Range(0, Chunks), new ParallelOptions { MaxDegreeOfParallelism = 1 }, async (chunk, _) => await PutByFerryAsync(tier, records, 0, 10_000_000 + chunk));
        KvKey[] chain = [.. Enumerable.Range(0, Chunks).Select(chunk => Key(10_000_000 + chunk))];
        var locations = (await tier.FindManyAsync(chain, CancellationToken.None)).Select(found => $"bench/{RecordPath.FormatDirectory}/{found[0].Location}").ToArray();
        var run = await AlternatingRun.RunAsync(5,
            async _ => await tier.FindManyAsync(chain, CancellationToken.None),
            async _ =>
            {
                foreach (var key in chain.Take(Chunks / 8))
                {
                    await tier.FindAsync(key, CancellationToken.None);
                }
            },
            async _ => await Parallel.ForEachAsync(locations, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (key, _) => await plain.HeadAsync(key)),
            async _ => await tier.FindManyAsync([.. chain.Select((key, index) => index == 0 ? Key(-1) : key)], CancellationToken.None));
        Console.WriteLine();
        Console.WriteLine("| look-up of a chain of 512 chunks | ms |");
        Console.WriteLine("|---|---:|");
        Console.WriteLine($"| one LIST a chunk, in waves up to 32 (`FindManyAsync`) | {run.Seconds(0) * 1000:F0} |");
        Console.WriteLine($"| one LIST a chunk, one after the other | {run.Seconds(1) * 8000:F0} |");
        Console.WriteLine($"| one HEAD a record whose name is known, 32 at a time | {run.Seconds(2) * 1000:F0} |");
        Console.WriteLine($"| the first chunk is a miss (`FindManyAsync`) | {run.Seconds(3) * 1000:F0} |");
    }

    private static void Print(Case one, string what, AlternatingRun run, int recordBytes)
    {
        if (one.Name.Length == 0)
        {
            return;
        }
        var gigabytes = (double)recordBytes * one.Parallel * one.PerWorker / 1e9;
        Console.WriteLine($"| {one.Name} | {one.Parallel} | {what} | {Rate(0)} | {Rate(1)} | {Rate(2)} | {Against(1)} | {Against(2)} | {Cpu(0)} | {Cpu(1)} | {Cpu(2)} |");

        string Against(int other)
        {
            var (median, least, greatest) = run.SpeedAgainst(other);
            return $"{median:F2} ({least:F2}–{greatest:F2})";
        }
        string Rate(int who) => $"{gigabytes * 1000 / run.Seconds(who):F0}";
        string Cpu(int who) => $"{run.CpuSeconds(who) / gigabytes:F2}";
    }

    private static Task InParallelAsync(Case one, Func<int, Task> work) => Task.WhenAll(Enumerable.Range(0, one.Parallel).Select(worker => Task.Run(async () =>
    {
        for (var count = 0; count < one.PerWorker; count++)
        {
            await work(worker);
        }
    })));

    private static Task InParallelAsync<T>(Case one, IReadOnlyList<T> all, Func<int, T, Task> work) => Task.WhenAll(Enumerable.Range(0, one.Parallel).Select(worker => Task.Run(async () =>
    {
        for (var index = worker; index < all.Count; index += one.Parallel)
        {
            await work(worker, all[index]);
        }
    })));

    private static KvKey Key(int number) => new("", TestRecords.Model, BenchRecords.Hash(number));

    private static async Task PutByFerryAsync(S3Tier tier, BenchRecords records, int worker, int number)
    {
        var (header, record) = records.Next(worker, number);
        if (await tier.PutAsync(header, record, CancellationToken.None) != TierPutOutcome.Stored)
        {
            throw new InvalidOperationException("A record was not stored.");
        }
    }

    private static async Task BarePutAsync(HttpClient client, string url, ReadOnlyMemory<byte> bytes)
    {
        using var content = new ReadOnlyMemoryContent(bytes);
        using var answer = await client.PutAsync(url, content);
        answer.EnsureSuccessStatusCode();
    }

    private static async Task BareGetAsync(HttpClient client, string url, Memory<byte> destination)
    {
        using var answer = await client.GetAsync(url, HttpCompletionOption.ResponseHeadersRead);
        answer.EnsureSuccessStatusCode();
        await using var body = await answer.Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(destination);
    }

    /// <summary>The SDK as one who has read its manual and measured would use it: unsigned payload, a range on every GET, large buffers.</summary>
    private sealed class PlainSdk : IDisposable
    {
        private readonly HttpClient _http = new(new DownToHttp { InnerHandler = Sockets() });
        private readonly AmazonS3Client _client;
        private readonly S3Location _location;

        public PlainSdk(S3Location location)
        {
            _location = location;
            _client = new AmazonS3Client(new BasicAWSCredentials(CephLab.AccessKey, CephLab.SecretKey), new AmazonS3Config
            {
                ServiceURL = $"https://{location.Endpoint.Authority}",
                ForcePathStyle = true,
                AuthenticationRegion = location.Region,
                RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
                ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
                BufferSize = 1 << 20,
                HttpClientFactory = new Factory(_http),
            });
        }

        public static SocketsHttpHandler Sockets() => new()
        {
            MaxConnectionsPerServer = 64,
            UseProxy = false,
            ConnectCallback = static async (context, cancellationToken) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, SendBufferSize = 4 << 20, ReceiveBufferSize = 4 << 20 };
                await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };

        public async Task PutAsync(string key, ReadOnlyMemory<byte> bytes)
        {
            using var stream = new UnmanagedStream(bytes);
            await _client.PutObjectAsync(new PutObjectRequest { BucketName = _location.Bucket, Key = key, InputStream = stream, UseChunkEncoding = false, DisablePayloadSigning = true });
        }

        public async Task GetAsync(string key, Memory<byte> destination)
        {
            using var answer = await _client.GetObjectAsync(new GetObjectRequest { BucketName = _location.Bucket, Key = key, ByteRange = new ByteRange(0, destination.Length - 1) });
            await answer.ResponseStream.ReadExactlyAsync(destination);
        }

        public Task<GetObjectMetadataResponse> HeadAsync(string key) => _client.GetObjectMetadataAsync(_location.Bucket, key);

        public string Presign(HttpVerb verb, string key) => _client.GetPreSignedURL(
            new GetPreSignedUrlRequest { BucketName = _location.Bucket, Key = key, Verb = verb, Expires = DateTime.UtcNow.AddHours(1), Protocol = Protocol.HTTP });

        public async Task WipeAsync()
        {
            while (await _client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = _location.Bucket }) is { S3Objects.Count: > 0 } page)
            {
                await _client.DeleteObjectsAsync(new DeleteObjectsRequest { BucketName = _location.Bucket, Objects = [.. page.S3Objects.Select(one => new KeyVersion { Key = one.Key })] });
            }
        }

        public void Dispose()
        {
            _client.Dispose();
            _http.Dispose();
        }

        private sealed class Factory(HttpClient client) : HttpClientFactory
        {
            public override HttpClient CreateHttpClient(IClientConfig clientConfig) => client;

            public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

            public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;
        }

        private sealed class DownToHttp : DelegatingHandler
        {
            protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
            {
                request.RequestUri = new UriBuilder(request.RequestUri!) { Scheme = "http" }.Uri;
                return base.SendAsync(request, cancellationToken);
            }
        }

        /// <summary>What MemoryStream is for managed memory.</summary>
        private sealed class UnmanagedStream(ReadOnlyMemory<byte> bytes) : Stream
        {
            private int _position;

            public override bool CanRead => true;

            public override bool CanSeek => true;

            public override bool CanWrite => false;

            public override long Length => bytes.Length;

            public override long Position { get => _position; set => _position = (int)value; }

            public override int Read(byte[] buffer, int offset, int count)
            {
                count = Math.Min(count, bytes.Length - _position);
                bytes.Span.Slice(_position, count).CopyTo(buffer.AsSpan(offset));
                _position += count;
                return count;
            }

            public override long Seek(long offset, SeekOrigin origin) => Position = origin switch { SeekOrigin.Begin => offset, SeekOrigin.Current => _position + offset, _ => Length + offset };

            public override void Flush()
            {
            }

            public override void SetLength(long value) => throw new NotSupportedException();

            public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        }
    }
}
