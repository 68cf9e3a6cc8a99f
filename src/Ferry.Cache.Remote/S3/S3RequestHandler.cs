namespace Ferry.Cache.Remote.S3;

/// <summary>Mends two things in the SDK's requests on their way out.</summary>
/// <remarks>
/// The SDK signs a payload (SHA-256 over every byte: 1 instead of 0.35 processor seconds a GB) unless the endpoint is https. Where the user asked for
/// plain http the line is trusted already and the record has checksums of its own, so the SDK is told https and this handler says http. The scheme is
/// not part of the signature; host and port are, and stay as signed. And it asks for no <c>100 Continue</c>: a round trip for each PUT, when whether
/// the record is there was asked before.
/// </remarks>
internal sealed class S3RequestHandler(HttpMessageHandler inner, bool downToHttp) : DelegatingHandler(inner)
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Headers.ExpectContinue = false;
        if (downToHttp)
        {
            var signed = request.RequestUri!;
            request.Headers.Host = signed.Authority;
            request.RequestUri = new UriBuilder(signed) { Scheme = Uri.UriSchemeHttp, Port = signed.Port }.Uri;
        }
        return base.SendAsync(request, cancellationToken);
    }
}
