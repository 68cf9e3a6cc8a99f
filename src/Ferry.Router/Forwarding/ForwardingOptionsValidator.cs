using Ferry.Kv.Text;
using Ferry.Router.Connectors;

namespace Ferry.Router.Forwarding;

/// <summary>Checks the bounds of the two legs: all errors at once, each with the value, the limit and the way out.</summary>
internal static class ForwardingOptionsValidator
{
    public static void Validate(RouterOptions router, List<string> errors)
    {
        var options = router.Forwarding;
        CheckRange(errors, "forwarding.maxPrefillReplyBytes", options.MaxPrefillReplyBytes, 1024, 1 << 30);
        CheckRange(errors, "forwarding.maxInspectedAnswerBytes", options.MaxInspectedAnswerBytes, 1024, 1 << 30);
        CheckRange(errors, "forwarding.maxEventBytes", options.MaxEventBytes, 1024, 1 << 26);
        CheckRange(errors, "forwarding.maxFanOut", options.MaxFanOut, 1, 4096);
        CheckRange(errors, "forwarding.fanOutConcurrency", options.FanOutConcurrency, 1, 4096);
        CheckRange(errors, "forwarding.prefillAttempts", options.PrefillAttempts, 1, 16);
        CheckRange(errors, "forwarding.decodeAttempts", options.DecodeAttempts, 1, 16);
        CheckTime(errors, "forwarding.retryPause", options.RetryPause, 0, 60);
        CheckTime(errors, "--prefill-timeout", options.PrefillTimeout, 0.1, 86_400);
        CheckTime(errors, "forwarding.answerTimeout", options.AnswerTimeout, 0.1, 86_400);
        CheckTime(errors, "forwarding.idleTimeout", options.IdleTimeout, 0.1, 86_400);
        CheckTime(errors, "forwarding.requestTimeout", options.RequestTimeout, 0.1, 30 * 86_400);
        CheckTime(errors, "forwarding.kvLease", options.KvLease, 1, 86_400);
        CheckTime(errors, "forwarding.connectTimeout", options.ConnectTimeout, 0.01, 600);
        if (!ConnectorProfiles.Names.Contains(options.Connector))
        {
            errors.Add($"--connector is '{options.Connector}'; it must be one of {string.Join(", ", ConnectorProfiles.Names)}.{Hint(options.Connector)}");
        }
        if (options is { RequireTransfer: true, Connector: "lmcache" })
        {
            errors.Add("--require-transfer has no meaning with --connector lmcache: LMCache's KV is found by content, so no answer tells whether it moved. Drop one of them.");
        }
        CheckPush(router, options, errors);
        CheckTls(options.Tls, errors);
    }

    private static void CheckPush(RouterOptions router, ForwardingOptions options, List<string> errors)
    {
        foreach (var target in options.PushTargets)
        {
            if (!router.Prefill.Contains(target.Node))
            {
                errors.Add($"forwarding.pushTargets names {target.Node}, which is no prefill node. Prefill nodes are {string.Join(", ", router.Prefill)}.");
            }
            CheckRange(errors, $"forwarding.pushTargets[{target.Node}].port", target.Port, 1, 65_535);
            CheckRange(errors, $"forwarding.pushTargets[{target.Node}].tensorParallelSize", target.TensorParallelSize, 1, 1024);
            CheckRange(errors, $"forwarding.pushTargets[{target.Node}].pipelineParallelSize", target.PipelineParallelSize, 1, 1024);
        }
        if (options.PushTargets.Count > 0 && options.Connector != "nixl-push")
        {
            errors.Add($"forwarding.pushTargets is set, but the connector is '{options.Connector}'. Set --connector nixl-push, or remove the targets.");
        }
    }

    private static void CheckTls(TlsOptions? tls, List<string> errors)
    {
        if (tls is null)
        {
            return;
        }
        CheckPair(errors, "tls.certificateFile", tls.CertificateFile, "tls.keyFile", tls.KeyFile);
        CheckPair(errors, "tls.nodeCertificateFile", tls.NodeCertificateFile, "tls.nodeKeyFile", tls.NodeKeyFile);
        foreach (var (key, file) in (ReadOnlySpan<(string, string?)>)
            [("tls.certificateFile", tls.CertificateFile), ("tls.keyFile", tls.KeyFile), ("tls.nodeCertificateFile", tls.NodeCertificateFile), ("tls.nodeKeyFile", tls.NodeKeyFile), ("tls.nodeAuthorityFile", tls.NodeAuthorityFile)])
        {
            if (file is not null && !File.Exists(file))
            {
                errors.Add($"{key} is '{file}', and there is no such file. Give a PEM file that this process may read.");
            }
        }
    }

    private static void CheckPair(List<string> errors, string key, string? value, string otherKey, string? otherValue)
    {
        if ((value is null) != (otherValue is null))
        {
            errors.Add($"{(value is null ? key : otherKey)} is missing: {key} and {otherKey} go together.");
        }
    }

    private static void CheckTime(List<string> errors, string key, TimeSpan value, double minimumSeconds, double maximumSeconds)
    {
        if (!(value.TotalSeconds >= minimumSeconds && value.TotalSeconds <= maximumSeconds))
        {
            errors.Add($"{key} is {value.TotalSeconds} s; it must lie in {minimumSeconds}..{maximumSeconds} s.");
        }
    }

    private static void CheckRange(List<string> errors, string key, long value, long minimum, long maximum)
    {
        if (value < minimum || value > maximum)
        {
            errors.Add($"{key} is {value}; it must lie in {minimum}..{maximum}.");
        }
    }

    private static string Hint(string name) => NearestName.Find(name, ConnectorProfiles.Names) is { } near ? $" Did you mean '{near}'?" : "";
}
