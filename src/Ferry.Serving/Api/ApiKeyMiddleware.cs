using System.Security.Cryptography;
using System.Text;
using Ferry.Serving.Api.Models;
using Microsoft.AspNetCore.Http;

namespace Ferry.Serving.Api;

/// <summary>vLLM's --api-key: guards /v1, /v2 and /inference only, and answers 401 with <c>{"error":"Unauthorized"}</c>.</summary>
internal sealed class ApiKeyMiddleware(RequestDelegate next, ApiState api)
{
    private static readonly PathString[] Guarded = ["/v1", "/v2", "/inference"];

    /// <summary>Hashes, so that comparing takes the same time whatever was sent.</summary>
    private readonly byte[][] _keyHashes = [.. api.Limits.ApiKeys.Select(key => SHA256.HashData(Encoding.UTF8.GetBytes(key)))];

    public Task InvokeAsync(HttpContext context)
    {
        if (_keyHashes.Length == 0 || !Guarded.Any(prefix => context.Request.Path.StartsWithSegments(prefix)) || HttpMethods.IsOptions(context.Request.Method) || IsAllowed(context))
        {
            return next(context);
        }
        context.Response.StatusCode = 401;
        return ServingJson.WriteAsync(context, new UnauthorizedBody("Unauthorized"), ServingJsonContext.Wire.UnauthorizedBody);
    }

    private bool IsAllowed(HttpContext context)
    {
        var header = context.Request.Headers.Authorization.ToString();
        const string scheme = "Bearer ";
        if (!header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }
        var sent = SHA256.HashData(Encoding.UTF8.GetBytes(header[scheme.Length..]));
        var allowed = false;
        foreach (var key in _keyHashes)
        {
            allowed |= CryptographicOperations.FixedTimeEquals(key, sent);
        }
        return allowed;
    }
}
