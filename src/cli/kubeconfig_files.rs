//! The kubeconfig files of a user: locating them, and changing them as kubectl does.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::kubeconfig::{FileChange, KubeconfigDocument, KubeconfigEntry, merge};

use super::ProcessEnvironment;
use super::error::CliError;

/// The kubeconfig files of a user, in the order of precedence. There is at least one.
#[derive(Debug, Clone)]
pub struct KubeconfigFiles(Vec<PathBuf>);

impl KubeconfigFiles {
    /// Returns the files that kubectl would read: those of `KUBECONFIG`, or the one in the home directory.
    ///
    /// # Errors
    /// Returns an error if neither exists.
    pub fn of(environment: &ProcessEnvironment) -> Result<Self, CliError> {
        let mut paths: Vec<PathBuf> = environment.get("KUBECONFIG").map_or(Vec::new(), |list| {
            std::env::split_paths(list).filter(|path| !path.as_os_str().is_empty()).collect()
        });
        if paths.is_empty() {
            let home = environment.get("HOME").ok_or_else(|| CliError::Usage {
                message: "neither KUBECONFIG nor HOME is set".to_owned(),
                hint: "name a file with --output".to_owned(),
            })?;
            paths.push(Path::new(home).join(".kube/config"));
        }
        let mut distinct = std::collections::BTreeSet::new();
        paths.retain(|path| distinct.insert(path.clone()));
        Ok(Self(paths))
    }

    /// Creates a list of one file.
    pub fn only(path: PathBuf) -> Self {
        Self(vec![path])
    }

    /// Adds an entry to the file in which it takes effect, and makes its context the current one. Returns the changed files.
    ///
    /// # Errors
    /// Returns an error if a file cannot be read or written, or is not a kubeconfig. At most files before it were changed.
    pub fn add(&self, entry: &KubeconfigEntry) -> Result<Vec<PathBuf>, CliError> {
        self.0.iter().try_for_each(|path| regular(path))?;
        let changing = self.changed(entry)?;
        let _locks = changing.iter().map(|(path, _)| KubeconfigLock::acquire(path)).collect::<Result<Vec<_>, _>>()?;
        // Another program may have written before the locks were taken.
        let changed = self.changed(entry)?;
        if !changed.iter().all(|(path, _)| changing.iter().any(|(locked, _)| locked == path)) {
            return Err(CliError::refused("another program changes the kubeconfig", "run it again"));
        }
        for (path, text) in &changed {
            replace(path, text).map_err(|source| CliError::Unwritable { path: path.clone(), source })?;
        }
        Ok(changed.into_iter().map(|(path, _)| path).collect())
    }

    /// Returns the files that an entry changes, with their new texts.
    fn changed(&self, entry: &KubeconfigEntry) -> Result<Vec<(PathBuf, String)>, CliError> {
        let mut documents = self.0.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
        let fates = merge(&mut documents, entry);
        let all = self.0.iter().zip(documents.iter().zip(fates));
        all.filter(|(_, (_, fate))| *fate == FileChange::Changed)
            .map(|(path, (document, _))| Ok((path.clone(), document.text().map_err(parse_error(path))?)))
            .collect()
    }
}

/// Refuses a path that is not a regular file: a device, a pipe, a directory.
fn regular(path: &Path) -> Result<(), CliError> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(CliError::Usage {
            message: format!("{} is not a regular file, so no kubeconfig can be kept there", path.display()),
            hint: "name a file with --output; `--output -` prints a kubeconfig of this cluster alone".to_owned(),
        }),
        // A missing file is created; one that cannot be accessed is reported when it is read.
        _ => Ok(()),
    }
}

fn parse_error(path: &Path) -> impl Fn(crate::kubeconfig::KubeconfigError) -> CliError {
    move |source| CliError::Kubeconfig { path: path.to_owned(), source }
}

fn read(path: &Path) -> Result<KubeconfigDocument, CliError> {
    match fs::read_to_string(path) {
        Ok(text) => KubeconfigDocument::parse(&text).map_err(parse_error(path)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(KubeconfigDocument::default()),
        Err(source) => Err(CliError::Unreadable { path: path.to_owned(), source }),
    }
}

/// Replaces a file atomically, readable only by its owner: a reader sees either the old text or the new one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    // The target of a symbolic link is replaced, not the link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let draft = beside(&path, &format!(".{}.draft", std::process::id()));
    let written = for_owner(&draft).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, &path)
    });
    if written.is_err() {
        // The rest of it is useless; a failure to remove it changes nothing.
        let _ = fs::remove_file(&draft);
    }
    written
}

/// Creates a new file that only its owner can read.
fn for_owner(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

/// kubectl's lock of a kubeconfig: a file beside it that only one program can create.
#[derive(Debug)]
struct KubeconfigLock(PathBuf);

impl KubeconfigLock {
    fn acquire(path: &Path) -> Result<Self, CliError> {
        let lock = beside(path, ".lock");
        let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
        let made = directory.map_or(Ok(()), fs::create_dir_all).and_then(|()| for_owner(&lock));
        match made {
            Ok(_) => Ok(Self(lock)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(CliError::refused(
                format!("another program writes {}", path.display()),
                format!("wait for it; if there is none, remove {}", lock.display()),
            )),
            Err(source) => Err(CliError::Unwritable { path: path.to_owned(), source }),
        }
    }
}

impl Drop for KubeconfigLock {
    fn drop(&mut self) {
        // The program that finds the file later reports what to do.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::kubeconfig::{ExecPlugin, KubeconfigUser};

    fn entry() -> KubeconfigEntry {
        let plugin = ExecPlugin { command: "quorate".to_owned(), arguments: Vec::new(), environment: Vec::new() };
        let name = "c.example.com".to_owned();
        let (server, tls_server_name) = ("https://api".to_owned(), "api.internal".to_owned());
        KubeconfigEntry {
            context: name.clone(),
            name,
            server,
            tls_server_name,
            authority: "A".to_owned(),
            user: KubeconfigUser::Plugin(plugin),
        }
    }

    fn with(variables: &[(&str, &str)]) -> ProcessEnvironment {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        ProcessEnvironment { variables, ..ProcessEnvironment::default() }
    }

    #[test]
    fn kubectls_files_are_ours() {
        let of = |variables: &[(&str, &str)]| KubeconfigFiles::of(&with(variables)).unwrap().0;
        assert_eq!(of(&[("HOME", "/home/ada")]), [PathBuf::from("/home/ada/.kube/config")]);
        assert_eq!(of(&[("HOME", "/home/ada"), ("KUBECONFIG", ":a:b::a:")]), ["a", "b"].map(PathBuf::from));
        assert!(KubeconfigFiles::of(&with(&[])).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_its_owners_alone_and_what_a_link_leads_to_is_changed() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let directory = tempfile::tempdir().unwrap();
        let (real, link) = (directory.path().join("real"), directory.path().join("config"));
        fs::write(&real, "users: []\n").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o644)).unwrap();
        symlink(&real, &link).unwrap();
        let files = KubeconfigFiles::only(link.clone());
        assert_eq!(files.add(&entry()).unwrap(), std::slice::from_ref(&link));
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(files.add(&entry()).unwrap().is_empty(), "what is there already is not written again");
        let left: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "no lock and no draft: {left:?}");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_refused_unread() {
        let directory = tempfile::tempdir().unwrap();
        for path in [PathBuf::from("/dev/zero"), directory.path().to_owned()] {
            let refused = KubeconfigFiles::only(path).add(&entry()).unwrap_err();
            assert!(refused.to_string().contains("is not a regular file"), "{refused}");
        }
    }

    #[test]
    fn a_file_that_another_program_writes_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        fs::write(directory.path().join("config.lock"), "").unwrap();
        let refused = KubeconfigFiles::only(path.clone()).add(&entry()).unwrap_err();
        assert!(refused.to_string().starts_with("another program writes"), "{refused}");
        assert!(!path.exists() && directory.path().join("config.lock").exists());
    }

    #[test]
    fn a_file_that_is_no_kubeconfig_stays_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        fs::write(&path, "users: secret\n").unwrap();
        let refused = KubeconfigFiles::only(path.clone()).add(&entry()).unwrap_err();
        assert!(refused.to_string().contains("config"), "{refused}");
        assert_eq!(fs::read_to_string(path).unwrap(), "users: secret\n");
    }
}
