using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.Security;

/// <summary>A Kubernetes Secret with its values in the manifest.</summary>
internal sealed class SecretInManifest : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-SEC012",
        Severity = LintSeverity.Error,
        Title = "A Kubernetes Secret with its values in the manifest",
        Why = "base64 is not encryption, and stringData is not even that: the manifest is the secret.",
        Symptom = "Nothing shows at run time.",
        Fix = "Create the Secret outside of the repository (kubectl create secret generic … --from-env-file), or use an external-secrets " +
            "operator; keep the reference.",
        Versions = "every version",
        Sources = ["Kubernetes documentation, Good practices for Secrets"],
        GoodExample = RuleExample.Kubernetes("""
            apiVersion: v1
            kind: Pod
            metadata: { name: prefill }
            spec:
              containers:
                - name: vllm
                  image: rocm/vllm:v0.20.0
                  command: ["vllm", "serve", "meta-llama/Llama-3.1-8B-Instruct"]
                  env: [{ name: AWS_SECRET_ACCESS_KEY, valueFrom: { secretKeyRef: { name: s3-credentials, key: secret-key } } }]
                  resources: { limits: { amd.com/gpu: 1 } }
            """),
        BadExample = RuleExample.Kubernetes("""
            apiVersion: v1
            kind: Secret
            metadata: { name: s3-credentials }
            stringData: { AWS_SECRET_ACCESS_KEY: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY }
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var document in cluster.Documents)
        {
            if (document.KubernetesKind != "Secret") { continue; }
            foreach (var member in ((string[])["data", "stringData"]).SelectMany(part => document.Root.Find(part)?.Members ?? []))
            {
                if (member.Value.Kind != DataKind.String || member.Value.Text.HasUnknown || SecretValues.IsPlaceholder(member.Value.Text.Value)) { continue; }
                findings.Report(Info, member.Value.Span,
                    $"the Secret {document.KubernetesName?.Value} has the value of {member.Key.Value} in this manifest. Create it outside of the files (kubectl create secret generic … --from-env-file), and keep the reference.");
            }
        }
    }
}
