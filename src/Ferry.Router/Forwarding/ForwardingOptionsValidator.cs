namespace Ferry.Router.Forwarding;

/// <summary>Checks of the two legs what no single setting shows.</summary>
internal static class ForwardingOptionsValidator
{
    public static void CheckTogether(List<string> errors, RouterOptions router)
    {
        var options = router.Forwarding;
        if (options is { RequireTransfer: true, Connector: "lmcache" })
        {
            errors.Add("--require-transfer has no meaning with --connector lmcache: LMCache's KV is found by content, so no answer tells whether it moved. Drop one of them.");
        }
        foreach (var target in options.PushTargets)
        {
            if (router.Prefill.All(node => node.Address != target.Node))
            {
                errors.Add($"--push-targets names {target.Node}, which is no prefill node. Prefill nodes are {string.Join(", ", router.Prefill.Select(node => node.Address))}.");
            }
        }
        if (options.PushTargets.Count > 0 && options.Connector != "nixl-push")
        {
            errors.Add($"--push-targets is set, but --connector is '{options.Connector}'. Set --connector nixl-push, or remove the targets.");
        }
        CheckTls(errors, options.Tls);
    }

    private static void CheckTls(List<string> errors, TlsOptions tls)
    {
        CheckPair(errors, "--tls-certificate", tls.CertificateFile, "--tls-key", tls.KeyFile);
        CheckPair(errors, "--node-certificate", tls.NodeCertificateFile, "--node-key", tls.NodeKeyFile);
        foreach (var (flag, file) in (ReadOnlySpan<(string, string)>)
            [("--tls-certificate", tls.CertificateFile), ("--tls-key", tls.KeyFile), ("--node-certificate", tls.NodeCertificateFile), ("--node-key", tls.NodeKeyFile), ("--node-authority", tls.NodeAuthorityFile)])
        {
            if (file.Length > 0 && !File.Exists(file))
            {
                errors.Add($"{flag} is '{file}', and there is no such file. Give a PEM file that this process may read.");
            }
        }
    }

    private static void CheckPair(List<string> errors, string flag, string file, string otherFlag, string otherFile)
    {
        if (file.Length == 0 != (otherFile.Length == 0))
        {
            errors.Add($"{(file.Length == 0 ? flag : otherFlag)} is missing: {flag} and {otherFlag} go together.");
        }
    }
}
