using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Ferry.Cache.Remote;
using Ferry.Cache.Remote.S3;
using Xunit;

namespace Ferry.UnitTests.CacheRemote.S3;

/// <summary>What the SDK's requests look like when they leave, without a server.</summary>
public sealed class S3RequestHandlerTests
{
    [Fact]
    public async Task SendAsync_PutOverPlainHttp_CarriesTheRecordItselfUnsignedAndForTheSignedHost()
    {
        var record = new byte[3 << 20];
        new Random(1).NextBytes(record);
        using var progress = new ProgressDeadline(TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1), TimeProvider.System, CancellationToken.None);
        using var wire = new Wire();
        using var http = new HttpClient(new S3RequestHandler(wire, downToHttp: true));
        using var client = new AmazonS3Client(new BasicAWSCredentials("id", "secret"), new AmazonS3Config
        {
            ServiceURL = "https://ceph.example:7480",
            ForcePathStyle = true,
            AuthenticationRegion = "default",
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            HttpClientFactory = new Factory(http),
            MaxErrorRetry = 0,
        });
        var body = S3RequestHandler.Body.Value = new RecordBody(record, progress);
        await client.PutObjectAsync(new PutObjectRequest
        {
            BucketName = "kvcache",
            Key = "key",
            InputStream = new RecordStream(record, progress),
            UseChunkEncoding = false,
            DisablePayloadSigning = true,
        });
        S3RequestHandler.Body.Value = null;

        Assert.True(body.UnusedAsync().IsCompleted);
        Assert.Equal(record.Length, progress.MovedBytes); // Once, by the body: the SDK read nothing.
        Assert.Equal(record, wire.Bytes);
        Assert.Equal(("http://ceph.example:7480/kvcache/key", "ceph.example:7480"), (wire.Uri!.AbsoluteUri, wire.Host));
        Assert.Equal("UNSIGNED-PAYLOAD", wire.PayloadHash);
        Assert.False(wire.ExpectsContinue);
    }

    [Theory]
    [InlineData("GET", null, false)] // With one the SDK would hash the whole body in managed code.
    [InlineData("GET", "bytes=0-99", true)] // By it the ranges of one object are known to belong together.
    [InlineData("PUT", null, true)]
    public async Task SendAsync_AnswerWithAnETag_LosesItOnlyWhenAWholeObjectIsGot(string method, string? range, bool stays)
    {
        using var invoker = new HttpMessageInvoker(new S3RequestHandler(new Tagged(), downToHttp: false));
        using var request = new HttpRequestMessage(new HttpMethod(method), "https://ceph.example/kvcache/key");
        if (range is not null)
        {
            request.Headers.TryAddWithoutValidation("Range", range);
        }
        using var answer = await invoker.SendAsync(request, CancellationToken.None);
        Assert.Equal(stays, answer.Headers.ETag is not null);
    }

    private sealed class Tagged : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var answer = new HttpResponseMessage(HttpStatusCode.OK);
            answer.Headers.TryAddWithoutValidation("ETag", "\"0123456789abcdef0123456789abcdef\"");
            return Task.FromResult(answer);
        }
    }

    private sealed class Wire : HttpMessageHandler
    {
        public byte[]? Bytes { get; private set; }

        public Uri? Uri { get; private set; }

        public string? Host { get; private set; }

        public string? PayloadHash { get; private set; }

        public bool? ExpectsContinue { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Bytes = await request.Content!.ReadAsByteArrayAsync(cancellationToken);
            (Uri, Host, ExpectsContinue) = (request.RequestUri, request.Headers.Host, request.Headers.ExpectContinue);
            PayloadHash = request.Headers.GetValues("x-amz-content-sha256").Single();
            return new HttpResponseMessage(HttpStatusCode.OK) { RequestMessage = request, Content = new ByteArrayContent([]) };
        }
    }

    private sealed class Factory(HttpClient client) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => client;

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

        public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;
    }
}
