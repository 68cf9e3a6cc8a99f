using System.Net;
using Ferry.Router.Bodies;
using Ferry.Router.Choosing;
using Ferry.Router.Security;
using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Routes;

/// <summary>Reads from a request what a choice of nodes depends on.</summary>
internal sealed class RouteFacts(RouterState router)
{
    private const string PrefillerHeader = "x-prefiller-host-port";
    private const string SessionHeader = "X-Session-ID";

    /// <summary>Longest session key; a longer one is taken for none.</summary>
    private const int MaxSessionBytes = 512;

    /// <param name="prompt">The one prompt of several that this is about, or empty.</param>
    public static ChoiceFacts Of(HttpContext context, Tenant tenant, JsonBody body, ApiKind api, ReadOnlyMemory<byte> prompt, string? decodeOnlyReason, Node? givenPrefill)
    {
        var subject = !prompt.IsEmpty ? prompt : api switch
        {
            ApiKind.Completions => body.Value("prompt"u8),
            ApiKind.Chat => body.Value("messages"u8),
            _ => body.Value("input"u8),
        };
        return new ChoiceFacts
        {
            Prompt = subject,
            Context = api == ApiKind.Completions ? CompletionContext(body) : ChatContext(body),
            Model = body.Text("model"u8) ?? "",
            CacheSalt = body.Value("cache_salt"u8),
            SessionKey = SessionOf(context, body),
            Tenant = tenant,
            Priority = (int)Math.Clamp(body.Integer("priority"u8) ?? 0, int.MinValue, int.MaxValue),
            PromptTokens = TokenCount(subject.Span),
            DecodeOnlyReason = decodeOnlyReason,
            GivenPrefill = givenPrefill,
        };
    }

    /// <summary>The prefill node that a trusted peer (llm-d's scheduler) has chosen; null: nobody has.</summary>
    /// <remarks>From anybody else the header is as if it were not there. Several hosts may be named; the first that is a node of ours is taken.</remarks>
    /// <exception cref="RouterException">403: it names no configured prefill node.</exception>
    public Node? GivenPrefill(HttpContext context)
    {
        if (router.Options.Forwarding.PrefillerHeaderPeers.Count == 0 || !context.Request.Headers.TryGetValue(PrefillerHeader, out var values) || !IsTrusted(context.Connection.RemoteIpAddress))
        {
            return null;
        }
        foreach (var name in values.ToString().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (router.Chooser.TryFind(NodeRole.Prefill, name) is { } node)
            {
                return node;
            }
        }
        throw new RouterException(403, "PermissionDeniedError", $"{PrefillerHeader} names no prefill node of this router.");
    }

    private bool IsTrusted(IPAddress? peer)
    {
        if (peer is null)
        {
            return false;
        }
        peer = peer.IsIPv4MappedToIPv6 ? peer.MapToIPv4() : peer;
        foreach (var network in router.Options.Forwarding.PrefillerHeaderPeers)
        {
            if (network.Contains(peer))
            {
                return true;
            }
        }
        return false;
    }

    private static string? SessionOf(HttpContext context, JsonBody body)
    {
        string? header = context.Request.Headers[SessionHeader];
        return !string.IsNullOrEmpty(header) && header.Length <= MaxSessionBytes
            ? header
            : body.Text("session_id"u8, MaxSessionBytes) ?? body.Text("prompt_cache_key"u8, MaxSessionBytes) ?? body.Text("user"u8, MaxSessionBytes);
    }

    private static ReadOnlyMemory<byte>[] CompletionContext(JsonBody body) => [body.Value("add_special_tokens"u8), body.Value("truncate_prompt_tokens"u8)];

    private static ReadOnlyMemory<byte>[] ChatContext(JsonBody body) =>
    [
        body.Value("tools"u8), body.Value("tool_choice"u8), body.Value("documents"u8), body.Value("chat_template"u8), body.Value("chat_template_kwargs"u8), body.Value("reasoning_effort"u8),
        body.Value("instructions"u8), body.Value("truncate_prompt_tokens"u8),
    ];

    /// <summary>Exact for a list of token ids; null for text.</summary>
    private static int? TokenCount(ReadOnlySpan<byte> prompt)
    {
        if (prompt.Length < 3 || prompt[0] != (byte)'[')
        {
            return null;
        }
        var first = prompt[1..].TrimStart(" \t\r\n"u8);
        return first.IsEmpty || first[0] is < (byte)'0' or > (byte)'9' ? null : prompt.Count((byte)',') + 1;
    }
}
