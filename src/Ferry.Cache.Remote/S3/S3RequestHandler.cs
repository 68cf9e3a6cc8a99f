namespace Ferry.Cache.Remote.S3;

/// <summary>Mends three things in the SDK's requests on their way out, and one in its answers.</summary>
/// <remarks>
/// <para>The SDK signs a payload (SHA-256 over every byte: 1 instead of 0.35 processor seconds a GB) unless the endpoint is https. Where the user asked for
/// plain http the line is trusted already and the record has checksums of its own, so the SDK is told https and this handler says http. The scheme is
/// not part of the signature; host and port are, and stay as signed.</para>
/// <para>The SDK copies a body twice through buffers of its own. With <see cref="Body"/> set the bytes go from the record to the socket.</para>
/// <para>It asks for no <c>100 Continue</c>: a round trip for each PUT, when whether the record is there was asked before.</para>
/// <para>Of an object that it gets whole the SDK checks the MD5 in managed code, at four processor seconds a GB, if the answer has an ETag: that is taken away.</para>
/// </remarks>
internal sealed class S3RequestHandler(HttpMessageHandler inner, bool downToHttp) : DelegatingHandler(inner)
{
    /// <summary>What goes out in place of the SDK's copy of the same bytes; flows with the call to the SDK.</summary>
    public static readonly AsyncLocal<RecordBody?> Body = new();

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Headers.ExpectContinue = false;
        if (downToHttp)
        {
            var signed = request.RequestUri!;
            request.Headers.Host = signed.Authority;
            request.RequestUri = new UriBuilder(signed) { Scheme = Uri.UriSchemeHttp, Port = signed.Port }.Uri;
        }
        if (Body.Value is { } body && request.Method == HttpMethod.Put && request.Content is { } prepared)
        {
            request.Content = body.MakeContent();
            foreach (var (name, values) in prepared.Headers)
            {
                request.Content.Headers.TryAddWithoutValidation(name, values);
            }
        }
        var answer = await base.SendAsync(request, cancellationToken);
        if (request.Method == HttpMethod.Get && !request.Headers.Contains("Range"))
        {
            answer.Headers.Remove("ETag");
        }
        return answer;
    }
}
