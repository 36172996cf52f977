# What certs/make and certs/serving share: authorities and the pairs they sign, made in the current folder or kept.
# Sourced; NAME.crt and NAME.key are one pair. The script that does so sets how many days before its end each is made
# again: kAuthoritySpareDays, kPairSpareDays.
readonly kAuthorityDays=365
readonly kPairDays=90

fail() {
  echo "certs/${0##*/}: $*" >&2
  exit 1
}

# Makes the folder and goes there; two runs in one folder take turns.
enter_folder() { # DIR
  command -v openssl >/dev/null || fail "openssl is not installed: apt-get install openssl"
  umask 077
  mkdir -p "$1"
  cd "$1"
  exec 9<.
  flock 9
  trap 'rm -f new.key new.crt new.csr errors' EXIT
}

lasts() { # CRT DAYS
  openssl x509 -in "$1" -noout -checkend "$(($2 * 86400))" >/dev/null 2>&1
}

key_fits() { # NAME
  local of_certificate of_key
  of_certificate=$(openssl x509 -in "$1.crt" -noout -pubkey 2>/dev/null) || return 1
  of_key=$(openssl pkey -in "$1.key" -pubout 2>/dev/null) || return 1
  [[ "$of_certificate" == "$of_key" ]]
}

# A serial is random, so that a remade certificate is never mistaken for the one it replaces.
serial() { echo "0x$(openssl rand -hex 16)"; }

# The certificate moves in last: a pair interrupted half-way does not fit and is made again.
publish() { # NAME
  chmod 0644 new.crt
  chmod 0600 new.key
  mv -f new.key "$1.key"
  mv -f new.crt "$1.crt"
  echo "made $1.crt $1.key"
}

authority() { # NAME CN
  local name=$1 cn=$2
  if lasts "$name.crt" "$kAuthoritySpareDays" && key_fits "$name"; then
    echo "kept $name.crt $name.key"
    return
  fi
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "$kAuthorityDays" \
    -set_serial "$(serial)" -subj "/CN=$cn" -keyout new.key -out new.crt -extensions ca -config <(
      printf '%s\n' '[req]' 'distinguished_name = dn' '[dn]' '[ca]' \
        'basicConstraints = critical, CA:TRUE' \
        'keyUsage = critical, keyCertSign, cRLSign' \
        'subjectKeyIdentifier = hash'
    ) 2>errors || fail "openssl could not make $name: $(<errors)"
  publish "$name"
}

pair() { # NAME AUTHORITY SUBJECT USAGE [SAN]
  local name=$1 signer=$2 subject=$3 purpose=$4 names=${5:-}
  if lasts "$name.crt" "$kPairSpareDays" && key_fits "$name" &&
    openssl verify -CAfile "$signer.crt" "$name.crt" >/dev/null 2>&1; then
    echo "kept $name.crt $name.key"
    return
  fi
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$subject" \
    -keyout new.key -out new.csr -config <(printf '%s\n' '[req]' 'distinguished_name = dn' '[dn]') \
    2>errors || fail "openssl could not make the key of $name: $(<errors)"
  openssl x509 -req -in new.csr -CA "$signer.crt" -CAkey "$signer.key" -days "$kPairDays" \
    -set_serial "$(serial)" -out new.crt -extfile <(
      printf '%s\n' 'basicConstraints = critical, CA:FALSE' \
        'keyUsage = critical, digitalSignature' \
        "extendedKeyUsage = $purpose" \
        'subjectKeyIdentifier = hash' 'authorityKeyIdentifier = keyid' \
        ${names:+"subjectAltName = $names"}
    ) 2>errors || fail "openssl could not sign $name: $(<errors)"
  publish "$name"
}
