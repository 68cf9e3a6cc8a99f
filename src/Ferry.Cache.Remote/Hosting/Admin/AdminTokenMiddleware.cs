using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Ferry.Cache.Remote.Hosting.Admin;

/// <summary>Lets in who brings the token; /health is open, so that a probe needs no secret.</summary>
internal sealed class AdminTokenMiddleware(RequestDelegate next, string token)
{
    private const string Scheme = "Bearer ";

    private readonly byte[] _expected = SHA256.HashData(Encoding.UTF8.GetBytes(token));

    public Task InvokeAsync(HttpContext context)
    {
        if (context.Request.Path == "/health" || IsRight(context.Request.Headers.Authorization.ToString()))
        {
            return next(context);
        }
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return AdminJson.WriteErrorAsync(context, StatusCodes.Status401Unauthorized, "the admin port asks for a token: send Authorization: Bearer TOKEN (FERRY_ADMIN_TOKEN, --admin-token-file).");
    }

    /// <summary>Compares hashes, so that the time says nothing of the token, its length included.</summary>
    private bool IsRight(string header) =>
        header.StartsWith(Scheme, StringComparison.Ordinal)
        && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(header[Scheme.Length..])), _expected);
}
